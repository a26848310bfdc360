package generator

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestErrorsComplete: every code and every message of the front end is the outcome of a case.
func TestErrorsComplete(t *testing.T) {
	var shown []string
	for _, ar := range readCases(t, errorCases) {
		for line := range strings.Lines(string(section(ar, "want").Data)) {
			if strings.HasPrefix(line, "./") {
				shown = append(shown, line)
			}
		}
	}
	for _, message := range messages(t) {
		if re := regexp.MustCompile(message); !slices.ContainsFunc(shown, re.MatchString) {
			t.Errorf("no case in %s shows %s", errorCases, message)
		}
	}
}

// messages makes a pattern of each diagnostic in the source: `message \[CG123\]`.
func messages(t *testing.T) []string {
	t.Helper()
	var out []string
	for _, path := range sources(t) {
		f, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if s, ok := n.Fun.(*ast.SelectorExpr); ok && len(n.Args) > 3 && (s.Sel.Name == "Add" || s.Sel.Name == "Note" || s.Sel.Name == "AddAt") {
					out = append(out, pattern(n.Args[3])+` \[`+pattern(n.Args[0])+`\]`)
				}
			case *ast.CompositeLit:
				if id, ok := n.Type.(*ast.Ident); ok && id.Name == "Fault" && len(n.Elts) == 3 {
					out = append(out, pattern(n.Elts[1])+` \[CG001\]`)
				}
			}
			return true
		})
	}
	return out
}

var verbs = regexp.MustCompile(`%[a-z]`)

// pattern matches the texts that a string expression can make.
func pattern(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.BasicLit:
		if s, err := strconv.Unquote(e.Value); err == nil {
			return verbs.ReplaceAllString(regexp.QuoteMeta(s), ".*")
		}
	case *ast.BinaryExpr:
		return pattern(e.X) + pattern(e.Y)
	}
	return ".*"
}

func sources(t *testing.T) []string {
	t.Helper()
	var out []string
	err := filepath.WalkDir("internal", func(path string, _ fs.DirEntry, err error) error {
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			out = append(out, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}
