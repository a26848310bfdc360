package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/tools/txtar"
)

// TestScripts runs testdata/*.txtar: the files of each are laid out as a module, and the
// lines above them, but those that begin with #, are run:
//
//	N ARGS            cachegen ARGS exits with N; 0 without -n is run again and changes nothing
//	stdout TEXT       the last run printed TEXT; stderr likewise
//	silent            the last run printed nothing
//	have NAME...      the files exist; gone: they do not
//	cmp NAME NAME     the files are equal
//	cp NAME NAME      copies a file
//	rm NAME...        removes files
//	cd DIR            starts later runs in DIR, without -C; env K=V sets the environment
//
// $DIR is where the files are, $ROOT where this project is.
func TestScripts(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatal("no scripts", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := newScript(t, ar)
			lines := strings.Split(strings.TrimSpace(string(ar.Comment)), "\n")
			if !slices.ContainsFunc(lines, func(l string) bool { return strings.HasPrefix(l, "cd ") || strings.HasPrefix(l, "env ") }) {
				t.Parallel()
			}
			for i, line := range lines {
				if line == "" || line[0] == '#' {
					continue
				}
				if err := s.line(strings.Fields(s.expand.Replace(line))); err != nil {
					t.Fatalf("line %d: %s: %v\nstdout:\n%s\nstderr:\n%s", i+1, line, err, &s.stdout, &s.stderr)
				}
			}
		})
	}
}

type script struct {
	t              *testing.T
	dir            string
	moved          bool // by cd
	expand         *strings.Replacer
	stdout, stderr bytes.Buffer
}

// newScript lays the files out. Without a go.mod there is one that knows the runtime.
func newScript(t *testing.T, ar *txtar.Archive) *script {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	s := &script{t: t, dir: t.TempDir()}
	s.expand = strings.NewReplacer("$DIR", s.dir, "$ROOT", root)
	sums, err := os.ReadFile(filepath.Join(root, "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	mod, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	_, requires, _ := strings.Cut(string(mod), "\n")
	requires += "\nrequire github.com/cachegen/cachegen v0.0.0\n\nreplace github.com/cachegen/cachegen => $ROOT\n"
	files := append([]txtar.File{
		{Name: "go.mod", Data: []byte("module shop\n" + requires)},
		{Name: "go.sum", Data: sums},
	}, ar.Files...)
	for _, f := range files {
		name := s.path(f.Name)
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(s.expand.Replace(string(f.Data))), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func (s *script) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(s.dir, name)
}

func (s *script) line(words []string) error {
	args := words[1:]
	switch words[0] {
	case "stdout", "stderr":
		out := &s.stdout
		if words[0] == "stderr" {
			out = &s.stderr
		}
		if text := strings.Join(args, " "); !strings.Contains(out.String(), text) {
			return fmt.Errorf("not printed")
		}
	case "silent":
		if s.stdout.Len()+s.stderr.Len() > 0 {
			return fmt.Errorf("not silent")
		}
	case "have", "gone":
		for _, name := range args {
			if _, err := os.Stat(s.path(name)); (err == nil) != (words[0] == "have") {
				return fmt.Errorf("%s: %v", name, err)
			}
		}
	case "cmp", "cp":
		a, err := os.ReadFile(s.path(args[0]))
		if err != nil {
			return err
		}
		if words[0] == "cp" {
			return os.WriteFile(s.path(args[1]), a, 0o600)
		}
		if b, err := os.ReadFile(s.path(args[1])); err != nil || !bytes.Equal(a, b) {
			return fmt.Errorf("they differ (%v)", err)
		}
	case "rm":
		for _, name := range args {
			if err := os.Remove(s.path(name)); err != nil {
				return err
			}
		}
	case "cd":
		s.moved = true
		s.t.Chdir(s.path(args[0]))
	case "env":
		name, value, _ := strings.Cut(args[0], "=")
		s.t.Setenv(name, value)
	default:
		return s.cachegen(words[0], args)
	}
	return nil
}

// cachegen runs the program; a run that may write is repeated.
func (s *script) cachegen(code string, args []string) error {
	want, err := strconv.Atoi(code)
	if err != nil {
		return err
	}
	if !s.moved {
		args = append([]string{"-C", s.dir}, args...)
	}
	s.stdout.Reset()
	s.stderr.Reset()
	if got := run(args, &s.stdout, &s.stderr); got != want {
		return fmt.Errorf("exit code %d", got)
	}
	if want != clean || slices.Contains(args, "-n") {
		return nil
	}
	before := s.outputs()
	var stdout, stderr bytes.Buffer
	if got := run(append([]string{"-v"}, args...), &stdout, &stderr); got != clean || stdout.Len() > 0 {
		return fmt.Errorf("the second time: exit code %d\n%s%s", got, &stdout, &stderr)
	}
	if after := s.outputs(); !slices.Equal(before, after) {
		return fmt.Errorf("the second time files were touched:\n%v\n%v", before, after)
	}
	return nil
}

// outputs lists the generated files and when they were written.
func (s *script) outputs() []string {
	var out []string
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.Contains(d.Name(), "_cachegen") {
			info, err := d.Info()
			if err != nil {
				return err
			}
			out = append(out, path+" "+info.ModTime().Format(time.RFC3339Nano))
		}
		return err
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return out
}
