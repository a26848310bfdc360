package templates

import (
	"fmt"
	"go/types"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/cachegen/cachegen/generator/model"
)

// names chooses the package-level names of one file's declarations. Those of the mechanical
// file begin with the source's base name, so two files of a package never collide.
type names struct {
	prefix string            // "books"
	taken  map[string]bool   // package-level names that are not free
	pkg    *types.Package    // the file's own
	byType map[string]string // exact type -> mangled name
	used   map[string]string // mangled name -> exact type
}

func newNames(f *model.File) *names {
	base := strings.TrimSuffix(f.Source, ".go")
	var b strings.Builder
	up := false
	for _, r := range base {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			up = b.Len() > 0
			continue
		}
		if up {
			r = unicode.ToUpper(r)
		}
		up = false
		b.WriteRune(r)
	}
	prefix := b.String()
	if prefix == "" || unicode.IsDigit(rune(prefix[0])) {
		prefix = "cached" + prefix
	}
	n := &names{model.LowerFirst(prefix), map[string]bool{}, f.Pkg, map[string]string{}, map[string]string{}}
	for name := range f.Taken {
		n.taken[name] = true
	}
	return n
}

// declare reserves a package-level name.
func (n *names) declare(name string) string {
	for n.taken[name] {
		name += "Cache"
	}
	n.taken[name] = true
	return name
}

// local is a name for a local variable that hides nothing of the package.
func (n *names) local(name string) string {
	for n.taken[name] {
		name += "Value"
	}
	return name
}

// of is the name of a helper ("encode", "clone", ...) for a type: booksEncodeBook.
func (n *names) of(verb string, t types.Type) string {
	name := n.prefix + upperFirst(verb) + n.mangle(t)
	for n.taken[name] {
		name += "Cache"
	}
	return name
}

// mangle is a readable name for a type, unique within the file.
func (n *names) mangle(t types.Type) string {
	exact := types.TypeString(types.Unalias(t), nil)
	if name, ok := n.byType[exact]; ok {
		return name
	}
	base := n.base(t)
	name := base
	for i := 2; n.used[name] != ""; i++ {
		name = fmt.Sprintf("%s%d", base, i)
	}
	n.byType[exact], n.used[name] = name, exact
	return name
}

func (n *names) base(t types.Type) string {
	switch t := t.(type) {
	case *types.Basic:
		return upperFirst(t.Name())
	case *types.Alias:
		return n.base(types.Unalias(t))
	case *types.Named:
		name := upperFirst(t.Obj().Name())
		if p := t.Obj().Pkg(); p != nil && p != n.pkg {
			name = upperFirst(p.Name()) + name
		}
		for i := range t.TypeArgs().Len() {
			name += n.base(t.TypeArgs().At(i))
		}
		return name
	case *types.Pointer:
		return n.base(t.Elem()) + "Ptr"
	case *types.Slice:
		return n.base(t.Elem()) + "Slice"
	case *types.Array:
		return fmt.Sprintf("%sArray%d", n.base(t.Elem()), t.Len())
	case *types.Map:
		return n.base(t.Key()) + "To" + n.base(t.Elem())
	}
	return "Anonymous"
}

// text is a type as a comment in the file shows it.
func (n *names) text(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string {
		if p == n.pkg {
			return ""
		}
		return p.Name()
	})
}

func upperFirst(s string) string {
	first, size := utf8.DecodeRuneInString(s)
	return string(unicode.ToUpper(first)) + s[size:]
}
