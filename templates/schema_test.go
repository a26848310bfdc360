package templates

import (
	"go/parser"
	"testing"

	"github.com/cachegen/cachegen/generator/model/shape"
)

// schemaOf is the fingerprint of T in a package p with these declarations.
func schemaOf(t *testing.T, source string) string {
	t.Helper()
	f := newFixtures()
	file, err := parser.ParseFile(f.fset, "p.go", "package p\n"+source, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	pkg, err := f.check("p", file)
	if err != nil {
		t.Fatal(err)
	}
	s, problems := shape.Of(pkg.Scope().Lookup("T").Type(), pkg)
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	return fingerprint(s)
}

func TestSchemaIsStable(t *testing.T) {
	got := schemaOf(t, "type T struct { ID int64; Tags []string; In *struct{ M map[string][2]float32 } }")
	if want := "cb847c532f10f007"; got != want {
		t.Errorf("%s, want %s: every stored entry becomes unreadable", got, want)
	}
}

func TestSchemaFollowsTheStructure(t *testing.T) {
	const before = "type S int8; type In struct { A int; B string }; type T struct { ID int64; In In; List []*In; S S }"
	want := schemaOf(t, before)
	for name, source := range map[string]string{
		"tags":     "type S int8; type In struct { A int `json:\"a\"`; B string }; type T struct { ID int64; In In; List []*In; S S }",
		"comments": "type S int8 // s\ntype In struct { A int; B string }\n// T is\ntype T struct { ID int64; In In; List []*In; S S }",
		"methods":  before + "; func (T) M() {}",
		"halves":   before + "; func (T) MarshalText() ([]byte, error) { return nil, nil }",
		"names":    "type X int8; type Y struct { A int; B string }; type T struct { ID int64; In Y; List []*Y; S X }",
		"grouping": "type S int8; type In struct { A int; B string }; type T struct { ID int64; In struct { A int; B string }; List []*In; S S }",
		"left out": "type S int8; type In struct { A int; B string; c chan int `cachegen:\"-\"` }; type T struct { ID int64; In In; List []*In; S S }",
	} {
		if got := schemaOf(t, source); got != want {
			t.Errorf("%s change it", name)
		}
	}
	seen := map[string]string{want: "nothing"}
	for name, source := range map[string]string{
		"a field more":    "type S int8; type In struct { A int; B string; C bool }; type T struct { ID int64; In In; List []*In; S S }",
		"a field less":    "type S int8; type In struct { A int }; type T struct { ID int64; In In; List []*In; S S }",
		"a field renamed": "type S int8; type In struct { A int; C string }; type T struct { ID int64; In In; List []*In; S S }",
		"the order":       "type S int8; type In struct { B string; A int }; type T struct { ID int64; In In; List []*In; S S }",
		"a kind":          "type S int16; type In struct { A int; B string }; type T struct { ID int64; In In; List []*In; S S }",
		"a pointer":       "type S int8; type In struct { A int; B string }; type T struct { ID int64; In *In; List []*In; S S }",
		"an array":        "type S int8; type In struct { A int; B string }; type T struct { ID int64; In In; List [3]*In; S S }",
		"another length":  "type S int8; type In struct { A int; B string }; type T struct { ID int64; In In; List [4]*In; S S }",
		"left out":        "type S int8; type In struct { A int; B string }; type T struct { ID int64; In In; List []*In; S S `cachegen:\"-\"` }",
		"a binary pair":   before + "; func (In) MarshalBinary() ([]byte, error) { return nil, nil }; func (*In) UnmarshalBinary([]byte) error { return nil }",
	} {
		got := schemaOf(t, source)
		if other, ok := seen[got]; ok {
			t.Errorf("%s and %s give one schema", name, other)
		}
		seen[got] = name
	}
}
