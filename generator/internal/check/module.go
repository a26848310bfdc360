package check

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/directive"
)

// moduleDirectives lists the directives in all files of the module that dir belongs to, by
// directory. It is asked only before a finding that another package could refute.
func moduleDirectives(dir string) map[string][]*ast.Comment {
	root := dir
	for !exists(filepath.Join(root, "go.mod")) {
		parent := filepath.Dir(root)
		if parent == root {
			return nil
		}
		root = parent
	}
	out := map[string][]*ast.Comment{}
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // what cannot be read says nothing
		case d.IsDir():
			name := d.Name()
			if path != root && (name == "vendor" || name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || exists(filepath.Join(path, "go.mod"))) {
				return filepath.SkipDir
			}
		case strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go"):
			if found := directivesIn(path); len(found) > 0 {
				out[filepath.Dir(path)] = append(out[filepath.Dir(path)], found...)
			}
		}
		return nil
	})
	return out
}

func exists(name string) bool {
	_, err := os.Stat(name)
	return err == nil
}

func directivesIn(path string) []*ast.Comment {
	src, err := os.ReadFile(path)
	if err != nil || !bytes.Contains(src, []byte("//cachegen:")) {
		return nil
	}
	f, _ := parser.ParseFile(token.NewFileSet(), path, src, parser.ParseComments|parser.SkipObjectResolution)
	if f == nil {
		return nil
	}
	var out []*ast.Comment
	for _, group := range f.Comments {
		for _, c := range group.List {
			if directive.Is(c) {
				out = append(out, c)
			}
		}
	}
	return out
}
