package directive

import (
	"go/token"
	"strings"
)

// Path is a dotted name: b.AuthorID.
type Path struct {
	Text
	Parts []Text
}

// Tag is a tag or a key space with its arguments; All means every tag of the repository.
type Tag struct {
	Repo Text // "" where the own repository is meant
	Name Text
	Args []Path
	All  bool
}

// Call names a read and its arguments: ByID(ret.ID).
type Call struct {
	Method Text
	Args   []Path
}

// Condition compares a path with a value.
type Condition struct {
	Path  Path
	Equal bool
	Value Text
}

// Fault is a value that does not have the form of its option.
type Fault struct {
	At      Text
	Message string
	Help    string
}

// ParsePath parses b.AuthorID.
func ParsePath(t Text) (Path, *Fault) {
	p := Path{Text: t}
	for rest, more := t, true; more; {
		var part Text
		part, rest, more = rest.cut(".")
		if !token.IsIdentifier(part.S) {
			at := part
			if at.S == "" {
				at = t
			}
			return p, &Fault{at, quote(t.S) + " is not a path", "write names with dots between them: b.AuthorID"}
		}
		p.Parts = append(p.Parts, part)
	}
	return p, nil
}

const tagForm = "write name:{path}:{path}, with repo/ in front for another repository's tag"

// ParseTag parses what tag=, drop= and key= take.
func ParseTag(t Text) (Tag, *Fault) {
	var tag Tag
	rest := t
	if head, _, _ := t.cut(":"); strings.Contains(head.S, "/") {
		tag.Repo, rest, _ = t.cut("/")
		if !IsName(tag.Repo.S) {
			return tag, &Fault{tag.Repo, quote(tag.Repo.S) + " is not the name of a repository", tagForm}
		}
	}
	if rest.S == "*" {
		tag.All, tag.Name = true, rest
		return tag, nil
	}
	name, args, more := rest.cut(":")
	if !IsName(name.S) {
		at := name
		if at.S == "" {
			at = t
		}
		return tag, &Fault{at, quote(name.S) + " is not a name", tagForm}
	}
	tag.Name = name
	for more {
		var arg Text
		arg, args, more = args.cut(":")
		if !strings.HasPrefix(arg.S, "{") || !strings.HasSuffix(arg.S, "}") {
			return tag, &Fault{arg, quote(arg.S) + " is not in braces", tagForm}
		}
		p, fault := ParsePath(arg.sub(1, len(arg.S)-1))
		if fault != nil {
			return tag, fault
		}
		tag.Args = append(tag.Args, p)
	}
	return tag, nil
}

// ParseCall parses ByID(ret.ID,lang).
func ParseCall(t Text) (Call, *Fault) {
	method, rest, found := t.cut("(")
	call := Call{Method: method}
	if !found || !token.IsIdentifier(method.S) || !strings.HasSuffix(rest.S, ")") {
		return call, &Fault{t, quote(t.S) + " does not name a read", "write the read with its arguments: ByID(ret.ID)"}
	}
	rest = rest.sub(0, len(rest.S)-1)
	for more := rest.S != ""; more; {
		var arg Text
		arg, rest, more = rest.cut(",")
		p, fault := ParsePath(arg)
		if fault != nil {
			return call, fault
		}
		call.Args = append(call.Args, p)
	}
	return call, nil
}

// ParseCondition parses lock:!=LockNone.
func ParseCondition(t Text) (Condition, *Fault) {
	left, right, found := t.cut(":")
	var c Condition
	if !found || len(right.S) < 3 || right.S[:2] != "==" && right.S[:2] != "!=" {
		return c, &Fault{t, quote(t.S) + " is not a condition", "write path:==value or path:!=value"}
	}
	var fault *Fault
	c.Path, fault = ParsePath(left)
	c.Equal, c.Value = right.S[:2] == "==", right.sub(2, len(right.S))
	return c, fault
}

// ParseNorm parses email:strings.ToLower.
func ParseNorm(t Text) (path Path, function Text, fault *Fault) {
	left, right, found := t.cut(":")
	if !found || right.S == "" {
		return path, right, &Fault{t, quote(t.S) + " names no function", "write path:function, norm=email:strings.ToLower"}
	}
	path, fault = ParsePath(left)
	return path, right, fault
}

// IsName reports whether s can name a repository, a tag or a key space: a letter, then
// letters, digits, '_' and '-'.
func IsName(s string) bool {
	for i, r := range s {
		letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
		if !letter && (i == 0 || !('0' <= r && r <= '9' || r == '_' || r == '-')) {
			return false
		}
	}
	return s != ""
}

func quote(s string) string { return `"` + s + `"` }
