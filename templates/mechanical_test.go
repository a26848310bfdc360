package templates

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/model/shape"
)

// TestMechanicalRoundTrips renders codecs for testdata/codec/shop.go, compiles them beside
// it in a module of their own, and runs the tests that stand there.
func TestMechanicalRoundTrips(t *testing.T) {
	source := filepath.Join("testdata", "codec", "shop.go")
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, source, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	conf := types.Config{Importer: importer.ForCompiler(fset, "source", nil)}
	pkg, err := conf.Check("shop", fset, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := &model.File{Pkg: pkg, Source: "shop.go"}
	var values []*shape.Shape
	results := pkg.Scope().Lookup("Results").Type().Underlying().(*types.Struct)
	for i := range results.NumFields() {
		s, problems := shape.Of(results.Field(i).Type(), pkg)
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		values = append(values, s)
	}
	code, err := Mechanical(f, values)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Mechanical(f, values)
	if err != nil || string(again) != string(code) {
		t.Fatal("rendering twice differs")
	}

	dir := t.TempDir()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name string, b []byte) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	copyFile := func(from, to string) {
		t.Helper()
		b, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		write(to, b)
	}
	copyFile(source, "shop.go")
	copyFile(filepath.Join("testdata", "codec", "shop_test.go"), "shop_test.go")
	copyFile(filepath.Join(root, "go.sum"), "go.sum")
	write("shop_cachegen_codec.go", code)
	write("go.mod", []byte("module shop\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => "+root+"\n"))
	cmd := exec.Command("go", "test", "-mod=mod", "-vet=all", "./...")
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s\n%s", err, out, code)
	}
}
