package shape

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"sync"
	"testing"
)

const source = `package p

import (
	"math/big"
	"net/netip"
	"net/url"
	"sync"
	"time"
)

type Status int8

type Meta struct {
	mu    sync.Mutex ` + "`cachegen:\"-\"`" + `
	Notes map[string][]string
}

type secret struct{ token string }

type Tree struct{ Kids []Tree }

type Half struct{ ch chan int }

func (Half) MarshalText() ([]byte, error) { return nil, nil }

type Whole struct{ ch chan int }

func (Whole) MarshalBinary() ([]byte, error) { return nil, nil }
func (*Whole) UnmarshalBinary([]byte) error  { return nil }

type T struct {
	Number   int
	Named    Status
	Words    []string
	Raw      []byte
	ID       [16]byte
	At       time.Time
	Opt      *time.Time
	Meta     Meta
	Private  secret
	Amount   big.Int
	Addr     netip.Addr
	URL      url.URL
	Whole    Whole
	Nested   map[Status]*Meta
	Anon     struct{ X, Y float32 }

	Func     func()
	Any      any
	Chan     <-chan int
	Pointer  uintptr
	Mutex    sync.Mutex
	Deep     struct{ In []struct{ Mu sync.Mutex } }
	Tree     Tree
	Half     Half
}
`

// checked is source, type-checked once: that takes the standard library from source too.
var checked = sync.OnceValues(func() (*types.Package, error) {
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "p.go", source, 0)
	if err != nil {
		return nil, err
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	return conf.Check("p", fset, []*ast.File{file}, nil)
})

// field plans one field of T.
func field(t *testing.T, name string) (*Shape, []Problem) {
	t.Helper()
	pkg, err := checked()
	if err != nil {
		t.Fatal(err)
	}
	st := pkg.Scope().Lookup("T").Type().Underlying().(*types.Struct)
	for i := range st.NumFields() {
		if f := st.Field(i); f.Name() == name {
			return Of(f.Type(), pkg)
		}
	}
	t.Fatalf("no field %s", name)
	return nil, nil
}

func TestAccepted(t *testing.T) {
	for name, want := range map[string]struct {
		kind   Kind
		shared bool
	}{
		"Number":  {Basic, true},
		"Named":   {Basic, true},
		"Words":   {Slice, false},
		"Raw":     {Bytes, false},
		"ID":      {Array, true},
		"At":      {Time, true},
		"Opt":     {Pointer, false},
		"Meta":    {Struct, false},
		"Private": {Struct, true},
		"Amount":  {Text, false},
		"Addr":    {Binary, true},
		"URL":     {Binary, false},
		"Whole":   {Binary, false},
		"Nested":  {Map, false},
		"Anon":    {Struct, true},
	} {
		s, problems := field(t, name)
		if len(problems) > 0 || s == nil {
			t.Errorf("%s: refused: %v", name, problems)
			continue
		}
		if s.Kind != want.kind || s.Shared != want.shared {
			t.Errorf("%s: kind %d, shared %v; want %d, %v", name, s.Kind, s.Shared, want.kind, want.shared)
		}
	}
}

func TestRefusedWithPathAndCure(t *testing.T) {
	for name, want := range map[string]string{
		"Func":    "func(): function func() cannot be rebuilt",
		"Any":     "any: interface any cannot be rebuilt",
		"Chan":    "channel <-chan int cannot be rebuilt",
		"Pointer": "uintptr: uintptr cannot be cached",
		"Mutex":   "sync.Mutex.mu: an unexported field of sync.Mutex",
		"Deep":    ".In[].Mu.mu: an unexported field of sync.Mutex",
		"Tree":    "p.Tree.Kids[]: p.Tree contains itself",
		"Half":    "p.Half.ch: channel chan int cannot be rebuilt",
	} {
		s, problems := field(t, name)
		if s != nil || len(problems) == 0 {
			t.Errorf("%s: accepted as %+v", name, s)
			continue
		}
		got := problems[0].String()
		if !strings.Contains(got, want) || !strings.Contains(got, "pass") && name != "Pointer" {
			t.Errorf("%s: %s\nwant %q and the cure", name, got, want)
		}
	}
}
