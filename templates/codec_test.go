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
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/model"
	"github.com/cachegen/cachegen/generator/model/shape"
)

// fixtures type-checks the packages of testdata/kinds and, from source too, the standard
// library.
type fixtures struct {
	fset *token.FileSet
	std  types.Importer
	dirs map[string]string
	done map[string]*types.Package
}

func newFixtures() *fixtures {
	fset := token.NewFileSet()
	root := filepath.Join("testdata", "kinds")
	return &fixtures{fset, importer.ForCompiler(fset, "gc", nil), map[string]string{
		"kinds":                      root,
		"kinds/other":                filepath.Join(root, "other"),
		"kinds/other/internal/inner": filepath.Join(root, "other", "internal", "inner"),
		"google.golang.org/protobuf/reflect/protoreflect": filepath.Join(root, "protobuf", "reflect", "protoreflect"),
	}, map[string]*types.Package{}}
}

func (f *fixtures) Import(path string) (*types.Package, error) {
	if f.done[path] != nil {
		return f.done[path], nil
	}
	dir, ok := f.dirs[path]
	if !ok {
		return f.std.Import(path)
	}
	file, err := parser.ParseFile(f.fset, filepath.Join(dir, filepath.Base(path)+".go"), nil, 0)
	if err != nil {
		return nil, err
	}
	return f.check(path, file)
}

func (f *fixtures) check(path string, file *ast.File) (*types.Package, error) {
	pkg, err := (&types.Config{Importer: f}).Check(path, f.fset, []*ast.File{file}, nil)
	f.done[path] = pkg
	return pkg, err
}

// mechanicalOf renders the codecs of all fields of the package's struct Results.
func mechanicalOf(t *testing.T, pkg *types.Package, source string) string {
	t.Helper()
	results := pkg.Scope().Lookup("Results")
	read := types.NewSignatureType(nil, nil, nil, nil, types.NewTuple(types.NewVar(0, pkg, "", results.Type())), false)
	f := &model.File{Pkg: pkg, Source: source, Repos: []*model.Repo{{Name: "r", Methods: []*model.Method{
		{Name: "All", Kind: model.Read, Sig: read, Read: &model.ReadPlan{}}, // for the imports
	}}}}
	e := newEmitter(f)
	for v := range results.Type().Underlying().(*types.Struct).Fields() {
		s, problems := shape.Of(v.Type(), pkg)
		if len(problems) > 0 {
			t.Fatalf("%s: %v", v.Name(), problems)
		}
		e.codecs.value(s)
	}
	code, err := e.print(e.mech)
	if err != nil {
		t.Fatal(err)
	}
	return string(code)
}

// module lays out testdata/kinds with its generated codecs as a module of its own.
func module(t *testing.T) string {
	t.Helper()
	pkg, err := newFixtures().Import("kinds")
	if err != nil {
		t.Fatal(err)
	}
	return layOut(t, filepath.Join("testdata", "kinds"), `module kinds

go 1.26.0

require (
	github.com/cachegen/cachegen v0.0.0
	google.golang.org/protobuf v0.0.0
)

replace google.golang.org/protobuf => ./protobuf
`, map[string]string{
		"protobuf/go.mod":         "module google.golang.org/protobuf\n\ngo 1.26.0\n",
		"kinds_cachegen_codec.go": mechanicalOf(t, pkg, "kinds.go"),
	})
}

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, filepath.FromSlash(name)), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

func goTool(dir string, args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GOWORK=off", "GOFLAGS=-mod=mod")
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// TestCodecsOfEveryKind runs testdata/kinds/kinds_test.go over the generated codecs.
func TestCodecsOfEveryKind(t *testing.T) {
	dir := module(t)
	if out, err := goTool(dir, "test", "-vet=all", "."); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// TestChangedTypesDoNotCompile changes the fixture behind its codecs' back.
func TestChangedTypesDoNotCompile(t *testing.T) {
	dir := module(t)
	source, err := os.ReadFile(filepath.Join(dir, "kinds.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{
		{"type Point struct{ X, Y int }", "type Point struct{ X, Y, Z int }"},
		{"type Point struct{ X, Y int }", "type Point struct{ Y, X int }"},
		{"type base struct{ ID int64 }", "type base struct{ ID int32 }"},
		{"Index  map[Word]int\n", "Index  map[Word]uint\n"},
		{"Raw    []byte\n", "Raw    string\n"},
		{"Flag   bool\n", "Flag   int\n"},
		{"Small  int8\n", "Small  float64\n"},
		{"Small  int8\n", "Small  uint8\n"},
		{"Weight float32\n", "Weight float64\n"},
		{"UUID   [16]byte\n", "UUID   [17]byte\n"},
	} {
		changed := strings.Replace(string(source), change[0], change[1], 1)
		if changed == string(source) {
			t.Fatalf("no %q in the fixture", change[0])
		}
		write(t, dir, "kinds.go", changed)
		out, err := goTool(dir, "build", ".")
		if err == nil || !strings.Contains(out, "kinds_cachegen_codec.go") {
			t.Errorf("%q for %q: %v %s", change[1], change[0], err, out)
		}
	}
}

func TestTwoRenderingsAreEqual(t *testing.T) {
	var codes [2]string
	for i := range codes {
		pkg, err := newFixtures().Import("kinds")
		if err != nil {
			t.Fatal(err)
		}
		codes[i] = mechanicalOf(t, pkg, "kinds.go")
	}
	if codes[0] != codes[1] {
		t.Error("rendering twice differs")
	}
}
