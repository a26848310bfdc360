package templates

import (
	"flag"
	"go/format"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "rewrite the expected files in testdata")

// rendered renders a plan and checks what holds for all output: it is formatted, the same
// each time, and compiles beside its source against the real runtime.
func rendered(t *testing.T, src string, methods map[string]string) (reviewable, mechanical string) {
	t.Helper()
	f := plan(t, src, methods)
	first, mech, err := Render(f)
	if err != nil {
		t.Fatal(err)
	}
	second, mechAgain, err := Render(f)
	if err != nil || string(first) != string(second) || string(mech) != string(mechAgain) {
		t.Fatalf("rendering twice differs: %v", err)
	}
	for _, code := range [][]byte{first, mech} {
		formatted, err := format.Source(code)
		if err != nil || string(formatted) != string(code) {
			t.Errorf("not formatted (%v):\n%s", err, code)
		}
	}
	checked(t, src, string(first), string(mech))
	return string(first), string(mech)
}

// TestRender compares whole files: testdata/render/NAME.txt holds the source, a line of
// options for each method, and after a line of dashes the reviewable file.
func TestRender(t *testing.T) {
	paths, err := filepath.Glob("testdata/render/*.txt")
	if err != nil || len(paths) == 0 {
		t.Fatal("no cases", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txt"), func(t *testing.T) {
			raw, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			parts := strings.Split(string(raw), "-----\n")
			reviewable, _ := rendered(t, parts[0], options(parts[1]))
			if *update {
				text := strings.Join([]string{parts[0], parts[1], reviewable}, "-----\n")
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				return
			}
			if len(parts) != 3 || parts[2] != reviewable {
				t.Errorf("reviewable file differs; go test ./templates -update rewrites it:\n%s", reviewable)
			}
		})
	}
}

// options reads lines of a method's name and its options.
func options(text string) map[string]string {
	methods := map[string]string{}
	for line := range strings.Lines(text) {
		name, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		methods[name] = rest
	}
	return methods
}

// TestRun renders testdata/run and runs the tests that stand there: the wrapper over the
// real runtime and the store in memory.
func TestRun(t *testing.T) {
	src, err := os.ReadFile("testdata/run/shop.go")
	if err != nil {
		t.Fatal(err)
	}
	lines, err := os.ReadFile("testdata/run/plan.txt")
	if err != nil {
		t.Fatal(err)
	}
	reviewable, mechanical := rendered(t, string(src), options(string(lines)))
	runModule(t, "testdata/run", map[string]string{"shop_cachegen.go": reviewable, "shop_cachegen_codec.go": mechanical})
}
