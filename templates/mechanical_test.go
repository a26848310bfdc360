package templates

import (
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
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
	mechanical := func() string {
		e := newEmitter(f)
		for _, v := range values {
			e.codecs.value(v)
		}
		code, err := e.print(e.mech)
		if err != nil {
			t.Fatal(err)
		}
		return string(code)
	}
	code := mechanical()
	if mechanical() != code {
		t.Fatal("rendering twice differs")
	}

	runModule(t, "testdata/codec", map[string]string{"shop_cachegen_codec.go": code})
}

// runModule makes a module of the files in dir and the given ones, and vets and tests it
// against the runtime.
func runModule(t *testing.T, source string, files map[string]string) {
	t.Helper()
	dir := layOut(t, source, "module shop\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n", files)
	args := []string{"test", "-vet=all"}
	if underRace() {
		args = append(args, "-race")
	}
	if out, err := goTool(dir, append(args, "./...")...); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// underRace reports whether this test runs under the race detector; then the generated code does.
func underRace() bool {
	info, ok := debug.ReadBuildInfo()
	return ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"})
}

// layOut copies a directory, adds files and makes a module of it that uses this project.
func layOut(t *testing.T, source, goMod string, files map[string]string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := os.CopyFS(dir, os.DirFS(source)); err != nil {
		t.Fatal(err)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, "go.sum", string(sums))
	write(t, dir, "go.mod", goMod+"\nreplace github.com/cachegen/cachegen => "+root+"\n")
	for name, text := range files {
		write(t, dir, name, text)
	}
	return dir
}
