package generator

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestLegal generates for all of testdata/legal, where signatures, names and policies are as
// odd as Go allows, and lets the go command vet the outcome. Generating again changes nothing.
func TestLegal(t *testing.T) {
	dir := t.TempDir()
	for name, ar := range readCases(t, "testdata/legal") {
		layOut(t, filepath.Join(dir, name), ar)
	}
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	sums, err := os.ReadFile("../go.sum")
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "go.sum"), string(sums))
	writeFile(t, filepath.Join(dir, "go.mod"), "module legal\n\ngo 1.26.0\n\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => "+root+"\n")
	options := Options{Dir: dir, Patterns: []string{"./..."}}
	for _, f := range generate(t, options) {
		if !strings.HasPrefix(f.Name, dir) {
			t.Fatalf("%s lies elsewhere", f.Name)
		}
		if err := f.Write(); err != nil {
			t.Fatal(err)
		}
	}
	vet := exec.Command("go", "vet", "-mod=mod", "./...")
	vet.Dir = dir
	if out, err := vet.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	for _, f := range generate(t, options) {
		t.Errorf("%s differs the second time", f.Name)
	}
}

// generate returns the files that differ from those on disk.
func generate(t *testing.T, o Options) []File {
	t.Helper()
	res, err := Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	res.Print(&said, o.Dir, false)
	if said.Len() > 0 {
		t.Fatalf("findings:\n%s", said.Bytes())
	}
	changed, err := res.Changed()
	if err != nil {
		t.Fatal(err)
	}
	return changed
}
