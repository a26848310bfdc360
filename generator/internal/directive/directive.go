// Package directive reads the comments in which a user states a cache policy.
//
// By example:
//
//	//cachegen:repo name=books ttl=10m notfound=ErrNotFound
//	//cachegen:read tag=author:{author} tag=book:{row.ID} ttl=1m
//	//cachegen:write put=ByID(ret.ID) drop=author:{b.AuthorID} drop=orders/user:{id}
//	//cachegen:tx
//	//cachegen:pass "reason=admin report, must be fresh"
//
// In full (blanks stand between options only; a whole option may be quoted as a Go string):
//
//	directive = "//cachegen:" verb { option }
//	verb      = "repo" | "read" | "write" | "tx" | "pass"
//	option    = name "=" value
//	tag       = [ repo "/" ] name { ":" "{" path "}" }      tag= drop=
//	all       = "*" | repo "/*"                             drop=
//	space     = name { ":" "{" path "}" }                   key=
//	call      = method "(" [ path { "," path } ] ")"        put= old=
//	condition = path ":" ( "==" | "!=" ) value              bypass=
//	norm      = path ":" object                             norm=
//	object    = name | package "." name                     notfound= ctx= tenant=
//	path      = name { "." name }
package directive

import (
	"cmp"
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/diag"
)

// Directive is one comment.
type Directive struct {
	Verb    string // "read"; "" for the zero value
	At      diag.Span
	Options []Option
	// Faulty: something in it was reported and left out, so that what seems to be missing
	// may be there.
	Faulty bool
}

// Option is name=value.
type Option struct {
	Name  string
	Value Text
	At    diag.Span // the whole option
}

// Text is a piece of a directive and where it begins.
type Text struct {
	S   string
	Pos token.Pos
}

// Span is the place of t.
func (t Text) Span() diag.Span { return diag.Span{Pos: t.Pos, End: t.Pos + token.Pos(len(t.S))} }

// sub is the part of t from byte i to byte j.
func (t Text) sub(i, j int) Text { return Text{t.S[i:j], t.Pos + token.Pos(i)} }

// cut splits t at the first sep.
func (t Text) cut(sep string) (before, after Text, found bool) {
	i := strings.Index(t.S, sep)
	if i < 0 {
		return t, t.sub(len(t.S), len(t.S)), false
	}
	return t.sub(0, i), t.sub(i+len(sep), len(t.S)), true
}

// Get returns the first option of a name.
func (d *Directive) Get(name string) (Option, bool) {
	i := slices.IndexFunc(d.Options, func(o Option) bool { return o.Name == name })
	if i < 0 {
		return Option{}, false
	}
	return d.Options[i], true
}

// All returns the options of a name, in order.
func (d *Directive) All(name string) []Option {
	var out []Option
	for _, o := range d.Options {
		if o.Name == name {
			out = append(out, o)
		}
	}
	return out
}

// Of parses the directives of a doc comment. Those with faults are reported to bag and
// returned without the faulty options.
func Of(doc *ast.CommentGroup, bag *diag.Bag) []*Directive {
	if doc == nil {
		return nil
	}
	var out []*Directive
	for _, c := range doc.List {
		if d := parse(c, bag); d != nil {
			out = append(out, d)
		}
	}
	return out
}

// Is reports whether a comment is one of ours.
func Is(c *ast.Comment) bool {
	d, ok := ast.ParseDirective(c.Pos(), c.Text)
	return ok && d.Tool == "cachegen"
}

var missed = regexp.MustCompile(`^//[ \t]*(?i:cachegen)[ \t]*:[ \t]*([A-Za-z]+)`)

// NearMiss reports whether a comment was meant to be a directive and is none.
func NearMiss(c *ast.Comment) bool {
	m := missed.FindStringSubmatch(c.Text)
	return m != nil && !Is(c) && slices.ContainsFunc(Verbs(), func(v string) bool { return diag.Distance(v, m[1]) <= 1 })
}

func parse(c *ast.Comment, bag *diag.Bag) *Directive {
	raw, ok := ast.ParseDirective(c.Pos(), c.Text)
	if !ok || raw.Tool != "cachegen" {
		return nil
	}
	d := &Directive{Verb: raw.Name, At: diag.Span{Pos: raw.Pos(), End: raw.End()}}
	if raw.Args == "" {
		d.At.End = raw.Pos() + token.Pos(len(strings.TrimRight(c.Text, " \t\r")))
	}
	if grammar[raw.Name] == nil {
		bag.Add("CG101", diag.Span{Pos: d.At.Pos, End: raw.Pos() + token.Pos(len("//cachegen:"+raw.Name))}, cmp.Or(diag.Suggest(raw.Name, Verbs()), "the verbs are repo, read, write, tx and pass"),
			"unknown directive //cachegen:%s", raw.Name)
		return nil
	}
	args, err := raw.ParseArgs()
	if err != nil {
		d.Faulty = true
		bag.Add("CG001", diag.Span{Pos: raw.ArgsPos, End: raw.End()}, `quote a whole option as a Go string, "reason=admin report", with a blank behind it`, "the quotes of %s do not match", raw.Args)
		return d
	}
	for i, arg := range args {
		end := raw.End()
		if i+1 < len(args) {
			end = args[i+1].Pos
		}
		if !d.option(arg, source(c, arg.Pos, end), bag) {
			d.Faulty = true
		}
	}
	return d
}

// source is an argument as it is written.
func source(c *ast.Comment, from, to token.Pos) string {
	return strings.TrimRight(c.Text[from-c.Pos():to-c.Pos()], " \t\r")
}

// option adds one argument; false when it was reported instead.
func (d *Directive) option(arg ast.DirectiveArg, written string, bag *diag.Bag) bool {
	at := diag.Span{Pos: arg.Pos, End: arg.Pos + token.Pos(len(written))}
	name, value, found := strings.Cut(arg.Arg, "=")
	known := grammar[d.Verb]
	rule, ok := known[name]
	switch {
	case !ok:
		bag.Add("CG101", at, cmp.Or(diag.Suggest(name, optionNames(d.Verb)), "//cachegen:"+d.Verb+" takes "+strings.Join(optionNames(d.Verb), ", ")),
			"unknown option %q of //cachegen:%s", name, d.Verb)
		return false
	case !found || value == "":
		bag.Add("CG102", at, "for example "+rule.example, "option %q needs a value", name)
		return false
	}
	if _, twice := d.Get(name); twice && !rule.many {
		bag.Add("CG103", at, "keep one of them", "option %q is given twice", name)
		return false
	}
	pos := arg.Pos + token.Pos(len(name)+1)
	if written != arg.Arg {
		pos++ // behind the opening quote
	}
	d.Options = append(d.Options, Option{name, Text{value, pos}, at})
	return true
}
