package generator

import (
	"bytes"
	"flag"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/internal/check"
	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/load"
	"golang.org/x/tools/txtar"
)

var update = flag.Bool("update", false, "rewrite what the cases expect")

const errorCases = "../golden/errors"

// TestErrors prints what the generator has to say about each golden/errors/*.txtar and
// compares it with the section "want". All cases are loaded at once, each is checked alone.
func TestErrors(t *testing.T) {
	cases := readCases(t, errorCases)
	dir := t.TempDir()
	names := slices.Sorted(maps.Keys(cases))
	workspace, patterns := "go 1.26.0\n", []string(nil)
	for _, name := range names {
		layOut(t, filepath.Join(dir, name), cases[name])
		writeFile(t, filepath.Join(dir, name, "go.mod"), "module "+name+"\n\ngo 1.26.0\n")
		workspace += "use ./" + name + "\n"
		patterns = append(patterns, "./"+name+"/...")
	}
	writeFile(t, filepath.Join(dir, "go.work"), workspace)
	fset := token.NewFileSet()
	pkgs, err := load.Load(fset, load.Config{Dir: dir, Patterns: patterns})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(name, func(t *testing.T) {
			ar := cases[name]
			home := filepath.Join(dir, name)
			var own []*load.Package
			for _, p := range pkgs {
				if p.Dir == home || strings.HasPrefix(p.Dir, home+string(filepath.Separator)) {
					own = append(own, p)
				}
			}
			if len(own) == 0 {
				t.Fatal("nothing was loaded")
			}
			bag := &diag.Bag{Fset: fset}
			check.Check(own, bag)
			var got bytes.Buffer
			(&Result{Diagnostics: bag.Sorted()}).Print(&got, home, true)
			want := section(ar, "want")
			if *update {
				want.Data = got.Bytes()
				if err := os.WriteFile(filepath.Join(errorCases, name+".txtar"), txtar.Format(ar), 0o600); err != nil {
					t.Fatal(err)
				}
			} else if got.String() != string(want.Data) {
				t.Errorf("got\n%s\nwant\n%s\ngo test ./generator -run Errors -update rewrites it", got.Bytes(), want.Data)
			}
		})
	}
}

func readCases(t *testing.T, dir string) map[string]*txtar.Archive {
	t.Helper()
	paths, err := filepath.Glob(dir + "/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	cases := map[string]*txtar.Archive{}
	for _, path := range paths {
		ar, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		cases[strings.TrimSuffix(filepath.Base(path), ".txtar")] = ar
	}
	return cases
}

// section is a file of an archive; it is added where there is none.
func section(ar *txtar.Archive, name string) *txtar.File {
	i := slices.IndexFunc(ar.Files, func(f txtar.File) bool { return f.Name == name })
	if i < 0 {
		ar.Files = append(ar.Files, txtar.File{Name: name})
		i = len(ar.Files) - 1
	}
	return &ar.Files[i]
}

// layOut writes the files of an archive, "want" apart.
func layOut(t *testing.T, dir string, ar *txtar.Archive) {
	t.Helper()
	for _, f := range ar.Files {
		if f.Name != "want" {
			writeFile(t, filepath.Join(dir, f.Name), string(f.Data))
		}
	}
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
