package directive

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/internal/diag"
)

// comment parses one comment as it stands in a file.
func comment(text string) (*ast.Comment, *diag.Bag, error) {
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, "a.go", "package a\n"+text+"\n", parser.ParseComments)
	if err != nil || len(f.Comments) != 1 || len(f.Comments[0].List) != 1 {
		return nil, nil, fmt.Errorf("%q is not one comment: %v", text, err)
	}
	return f.Comments[0].List[0], &diag.Bag{Fset: fset}, nil
}

// TestDirective: each option keeps its words and their columns.
func TestDirective(t *testing.T) {
	tests := []struct{ text, want string }{
		{"//cachegen:read", "read"},
		{"//cachegen:read tag=book:{id}  ttl=1m\t", "read tag=book:{id}@21 ttl=1m@36"},
		{`//cachegen:pass "reason=admin report, must be fresh"`, "pass reason=admin report, must be fresh@25"},
		{"//cachegen:pass `reason=a \"b\"`", `pass reason=a "b"@25`},
		{`//cachegen:read bypass=lang:=="x" notfound=pkg.Err`, `read bypass=lang:=="x"@24 notfound=pkg.Err@44`},
		{`//cachegen:read tag=a tag=b ttl=1m ttl=2m`, "read tag=a@21 tag=b@27 ttl=1m@33 faulty"},
		{`//cachegen:read "reason=half`, "read faulty"},
		{`//cachegen:write tll=1m drop`, "write faulty"},
		{`//cachegen:reed tag=a`, "none"},
		{`// cachegen:read tag=a`, "none"},
		{`//othergen:read tag=a`, "none"},
		{`//cachegen:`, "none"},
	}
	for _, tt := range tests {
		c, bag, err := comment(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := show(parse(c, bag), bag); got != tt.want {
			t.Errorf("%s\n got %s\nwant %s", tt.text, got, tt.want)
		}
	}
}

func show(d *Directive, bag *diag.Bag) string {
	if d == nil {
		return "none"
	}
	s := d.Verb
	for _, o := range d.Options {
		s += fmt.Sprintf(" %s=%s@%d", o.Name, o.Value.S, bag.Fset.Position(o.Value.Pos).Column)
	}
	if d.Faulty {
		s += " faulty"
	}
	return s
}

func TestNearMiss(t *testing.T) {
	for text, want := range map[string]bool{
		"//cachegen:read tag=a":       false,
		"// cachegen:read tag=a":      true,
		"//CacheGen:read":             true,
		"//cachegen: read":            true,
		"//\tcachegen :wirte":         true,
		"// cachegen: a word on it":   false,
		"// the cachegen:read above":  false,
		"//cachegenx:read":            false,
		"/* cachegen:read */":         false,
		"//cachegen:reed":             false, // a directive with an unknown verb
		"// cachegen:repository etc.": false,
	} {
		c, _, err := comment(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := NearMiss(c); got != want {
			t.Errorf("NearMiss(%s) = %v", text, got)
		}
	}
}

// TestExamples: what the grammar gives as an example is a value of its option.
func TestExamples(t *testing.T) {
	for verb, options := range grammar {
		for name, rule := range options {
			c, bag, err := comment("//cachegen:" + verb + " " + rule.example)
			if err != nil {
				t.Fatal(err)
			}
			d := parse(c, bag)
			if d == nil || d.Faulty || len(d.Options) != 1 || d.Options[0].Name != name {
				t.Errorf("%s of %s: %s is read as %s", name, verb, rule.example, show(d, bag))
				continue
			}
			if fault := values(d.Options[0]); fault != nil {
				t.Errorf("%s of %s: %s", name, verb, fault.Message)
			}
		}
	}
}

// values reads a value as its option does.
func values(o Option) (fault *Fault) {
	switch o.Name {
	case "tag", "drop", "key":
		_, fault = ParseTag(o.Value)
	case "put", "old":
		_, fault = ParseCall(o.Value)
	case "bypass":
		_, fault = ParseCondition(o.Value)
	case "norm":
		_, _, fault = ParseNorm(o.Value)
	}
	return fault
}

// FuzzDirective: no comment makes the parser panic, and all that it returns or reports lies
// within the comment and reads as it is written there.
func FuzzDirective(f *testing.F) {
	for verb, options := range grammar {
		for _, rule := range options {
			f.Add("//cachegen:" + verb + " " + rule.example + " \"reason=x\\ty\" tag")
		}
	}
	f.Add("//cachegen:read tag=\xff `a=\r`")
	f.Fuzz(func(t *testing.T, text string) {
		c, bag, err := comment(text)
		if err != nil {
			return
		}
		NearMiss(c)
		within := func(at diag.Span) {
			if at.Pos < c.Pos() || at.End < at.Pos || at.End > c.End() {
				t.Errorf("%q: a span %d-%d outside %d-%d", text, at.Pos, at.End, c.Pos(), c.End())
			}
		}
		d := parse(c, bag)
		for _, found := range bag.Sorted() {
			if found.Pos.Line != 2 || found.End.Column > len(c.Text)+1 || found.End.Column < found.Pos.Column {
				t.Errorf("%q: %+v", text, found)
			}
		}
		if d == nil {
			return
		}
		within(d.At)
		for _, o := range d.Options {
			within(o.At)
			if plain := !strings.ContainsAny(c.Text, "\"`"); plain && c.Text[o.Value.Pos-c.Pos():][:len(o.Value.S)] != o.Value.S {
				t.Errorf("%q: %q does not stand at its place", text, o.Value.S)
			}
		}
	})
}

// FuzzValues: no value makes a parser panic, and every part lies where it says.
func FuzzValues(f *testing.F) {
	for _, options := range grammar {
		for _, rule := range options {
			_, value, _ := strings.Cut(rule.example, "=")
			f.Add(value)
		}
	}
	for _, s := range []string{"a/b:{c.d}:{e}", "orders/*", "A(b,c.d)", "x.y:!=-1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const at = 100
		stands := func(parts ...Text) {
			for _, p := range parts {
				if i := int(p.Pos) - at; p.S != "" && (i < 0 || i+len(p.S) > len(s) || s[i:i+len(p.S)] != p.S) {
					t.Errorf("%q: %q is not at %d", s, p.S, i)
				}
			}
		}
		paths := func(paths ...Path) {
			for _, p := range paths {
				stands(p.Text)
				stands(p.Parts...)
			}
		}
		text := Text{s, at}
		var faults [5]*Fault
		var tag Tag
		var call Call
		var cond Condition
		var path, normed Path
		var fn Text
		path, faults[0] = ParsePath(text)
		tag, faults[1] = ParseTag(text)
		call, faults[2] = ParseCall(text)
		cond, faults[3] = ParseCondition(text)
		normed, fn, faults[4] = ParseNorm(text)
		paths(path, cond.Path, normed)
		paths(tag.Args...)
		paths(call.Args...)
		stands(tag.Repo, tag.Name, call.Method, cond.Value, fn)
		for _, fault := range faults {
			if fault != nil {
				stands(fault.At)
			}
		}
	})
}
