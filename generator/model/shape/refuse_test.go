package shape

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"strings"
	"testing"
)

// packages type-checks sources in order; later ones may import earlier ones by path.
type packages struct {
	fset *token.FileSet
	std  types.Importer
	done map[string]*types.Package
}

func (p *packages) Import(path string) (*types.Package, error) {
	if p.done[path] != nil {
		return p.done[path], nil
	}
	return p.std.Import(path)
}

func (p *packages) add(t *testing.T, path, source string) *types.Package {
	t.Helper()
	file, err := parser.ParseFile(p.fset, path+".go", source, 0)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := (&types.Config{Importer: p}).Check(path, p.fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	p.done[path] = pkg
	return pkg
}

const otherSource = `package other

import (
	"encoding"
	"sync"
	"x.org/other/internal/inner"
)

type hidden struct{ A int }
type Exposes struct{ H hidden }
type List[T any] struct{ Items []T }
type Boxed struct{ L List[hidden] }
type Locked struct { mu sync.Mutex; n int }
type Out struct { mu sync.Mutex ` + "`cachegen:\"-\"`" + `; N int }
type Alias = inner.Private
type Inner struct{ P inner.Private }
type ByAlias struct{ P Alias }
type Generic[T any] struct{ V T }
type Base struct{ secret int }
func (Base) MarshalBinary() ([]byte, error) { return nil, nil }
func (*Base) UnmarshalBinary([]byte) error { return nil }
var _ encoding.BinaryMarshaler = Base{}
`

const mainSource = `package p

import (
	"math/big"
	"net/netip"
	"regexp"
	"sync"
	"time"
	"unsafe"
	"x.org/other"
	"google.golang.org/protobuf/reflect/protoreflect"
)

type Stamped struct { time.Time; Title string }
type Promoted struct { other.Base; ch chan int }
type Wrong struct{ ch chan int }
func (Wrong) MarshalBinary() []byte { return nil }
func (*Wrong) UnmarshalBinary([]byte) error { return nil }
type Appends struct{ ch chan int }
func (Appends) AppendBinary(b []byte) ([]byte, error) { return b, nil }
func (*Appends) UnmarshalBinary([]byte) error { return nil }
type Set map[string]any
func (Set) MarshalText() ([]byte, error) { return nil, nil }
func (*Set) UnmarshalText([]byte) error { return nil }
type Node struct{ Next *Node }
func (Node) MarshalText() ([]byte, error) { return nil, nil }
func (*Node) UnmarshalText([]byte) error { return nil }
type Date struct{ Y, M, D int }
func (Date) MarshalText() ([]byte, error) { return nil, nil }
func (*Date) UnmarshalText([]byte) error { return nil }
type Msg struct{ n int }
func (*Msg) ProtoReflect() protoreflect.Message { return nil }
type EmbedsMsg struct { *Msg; Extra int }
type NotMsg struct{ N int }
func (*NotMsg) ProtoReflect() int { return 0 }
type A struct{ B *B }
type B struct{ A []A }
type Grow[T any] struct{ V T }
type Left struct { N int; M int ` + "`cachegen:\"-\"`" + ` }
type Part[T any] struct{ V T }
func param[T any]() { var v Part[T]; _ = v }

type D1[T any] struct{ F Grow[Grow[Grow[Grow[Grow[Grow[Grow[Grow[T]]]]]]]] }
type T struct {
	Stamped  *Stamped
	Promoted Promoted
	Wrong    Wrong
	Appends  Appends
	Set      Set
	Node     *Node
	Date     Date
	Msg      *Msg
	Embeds   *EmbedsMsg
	NotMsg   *NotMsg
	Mutual   A
	Exposes  other.Exposes
	Boxed    other.Boxed
	Locked   other.Locked
	Out      other.Out
	Inner    other.Inner
	ByAlias  other.ByAlias
	Alias    other.Alias
	Float    *big.Float
	Regexp   regexp.Regexp
	Unsafe   unsafe.Pointer
	Book     struct{ Meta struct{ cond sync.Mutex } }
	PtrKey   map[*int]int
	TimeKey  map[struct{ At time.Time }]int
	LeftKey  map[Left]int
	AnyKey   map[any]int
	AddrKey  map[netip.Addr]int
	StrKey   map[[2]struct{ S string }]int
	Deep     D1[D1[D1[D1[D1[D1[D1[D1[D1[int]]]]]]]]]
	Generic  other.Generic[sync.Mutex]
	Chans    [2]chan int
	Two      struct{ F func(); C chan int }
}
`

func planned(t *testing.T) map[string]func() (*Shape, []Problem) {
	t.Helper()
	fset := token.NewFileSet()
	p := &packages{fset, importer.ForCompiler(fset, "gc", nil), map[string]*types.Package{}}
	p.add(t, "x.org/other/internal/inner", "package inner\ntype Private struct{ N []int }\n")
	p.add(t, "x.org/other", otherSource)
	p.add(t, "google.golang.org/protobuf/reflect/protoreflect", "package protoreflect\ntype Message interface{ Descriptor() }\n")
	pkg := p.add(t, "y.org/p", mainSource)
	plans := map[string]func() (*Shape, []Problem){}
	for f := range pkg.Scope().Lookup("T").Type().Underlying().(*types.Struct).Fields() {
		plans[f.Name()] = func() (*Shape, []Problem) { return Of(f.Type(), pkg) }
	}
	part := pkg.Scope().Lookup("Part").Type().(*types.Named)
	plans["Param"] = func() (*Shape, []Problem) { return Of(part, pkg) }
	return plans
}

func TestPairsAndNames(t *testing.T) {
	plans := planned(t)
	for name, want := range map[string]struct {
		kind Kind
		typ  string
	}{
		"Stamped": {Pointer, "*p.Stamped"},
		"Appends": {Binary, "p.Appends"},
		"Set":     {Text, "p.Set"},
		"Node":    {Pointer, "*p.Node"},
		"Date":    {Struct, "p.Date"},
		"Msg":     {Proto, "*p.Msg"},
		"Embeds":  {Pointer, "*p.EmbedsMsg"},
		"NotMsg":  {Pointer, "*p.NotMsg"},
		"Out":     {Struct, "other.Out"},
		"ByAlias": {Struct, "other.ByAlias"},
		"Alias":   {Struct, "other.Alias"},
		"AddrKey": {Map, "map[netip.Addr]int"},
		"StrKey":  {Map, "map[[2]struct{S string}]int"},
	} {
		s, problems := plans[name]()
		if s == nil || len(problems) > 0 {
			t.Errorf("%s: refused: %v", name, problems)
			continue
		}
		if s.Kind != want.kind || Name(s.Type) != want.typ {
			t.Errorf("%s: %s of %s, want %s of %s", name, s.Kind, Name(s.Type), want.kind, want.typ)
		}
	}
	if s, _ := plans["Stamped"](); s != nil && (s.Elem.Kind != Struct || s.Elem.Fields[0].Shape.Kind != Time) {
		t.Error("the pair of an embedded field stands for the whole")
	}
	if s, _ := plans["Embeds"](); s != nil && s.Elem.Kind != Struct {
		t.Error("an embedded message stands for the whole")
	}
	if s, _ := plans["Node"](); s != nil && s.Elem.Kind != Text {
		t.Error("a recursive type with a pair is not taken by it")
	}
	if s, _ := plans["Appends"](); s != nil && !s.Appends {
		t.Error("AppendBinary goes unnoticed")
	}
}

func TestRefusals(t *testing.T) {
	plans := planned(t)
	for name, want := range map[string][]string{
		"Promoted": {"p.Promoted.ch: channel chan int cannot be rebuilt"},
		"Wrong":    {"p.Wrong.ch: channel chan int cannot be rebuilt"},
		"Mutual":   {"p.A.B.A[]: p.A contains itself"},
		"Exposes":  {"other.Exposes.H: other.hidden cannot be named in package p"},
		"Boxed":    {"other.Boxed.L: other.List[other.hidden] cannot be named in package p"},
		"Locked":   {"other.Locked.mu: an unexported field of other.Locked cannot be read"},
		"Inner":    {"other.Inner.P: inner.Private cannot be named in package p"},
		"Float":    {"*big.Float: the marshalled form of big.Float does not keep its precision"},
		"Regexp":   {"regexp.Regexp: the marshalled form"},
		"Unsafe":   {"unsafe.Pointer cannot be cached"},
		"Book":     {".Meta.cond.", "an unexported field of sync.Mutex"},
		"PtrKey":   {"map[*int]int[key]: *int in the key of a map stands for one object"},
		"TimeKey":  {"[key]: time.Time in the key of a map compares its zone by identity"},
		"LeftKey":  {"[key]: the field M of p.Left in the key of a map is left out"},
		"AnyKey":   {"map[any]int[key]: interface any cannot be rebuilt"},
		"Deep":     {"nests more than 64 levels"},
		"Generic":  {"other.Generic[sync.Mutex].V.", "an unexported field of sync.Mutex"},
		"Chans":    {"[2]chan int[]: channel chan int"},
		"Param":    {"p.Part[T any].V: type parameter T cannot be rebuilt"},
		"Two":      {".F: function func() cannot be rebuilt"},
	} {
		s, problems := plans[name]()
		if s != nil || len(problems) == 0 {
			t.Errorf("%s: accepted", name)
			continue
		}
		got := problems[0].String()
		for _, part := range want {
			if !strings.Contains(got, part) {
				t.Errorf("%s: %s\nwant %q", name, got, part)
			}
		}
		if !strings.Contains(got, "use pass") {
			t.Errorf("%s: no cure: %s", name, got)
		}
	}
	if _, problems := plans["Two"](); len(problems) != 2 {
		t.Errorf("all problems are reported at once: %v", problems)
	}
}

func TestLeastIsTheShortestEncoding(t *testing.T) {
	plans := planned(t)
	for name, want := range map[string]int{"Date": 4, "Stamped": 1, "AddrKey": 1, "Appends": 2} {
		if s, _ := plans[name](); s == nil || s.Least() != want {
			t.Errorf("%s: want %d", name, want)
		}
	}
}
