// Package arrows checks who imports whom: the generator and the runtime never meet but in
// generated code, and each room imports no more than it is meant to.
package arrows

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/cachegen/cachegen/"

// rules lists, for the packages below a path, what they may import besides the standard
// library and the packages below the path itself. Paths end with "/" where all below is
// meant. The first rule that fits a package holds.
var rules = []struct {
	from string
	may  []string
}{
	{"cmd/", []string{module + "generator", module + "runtime/outbox/migration"}},
	{"generator/model/", nil},
	{"generator/", []string{module + "templates", "golang.org/x/tools/"}},
	{"templates/", []string{module + "generator/model/", "github.com/dave/jennifer/", "golang.org/x/tools/"}},
	{"runtime/store/", nil},
	{"runtime/outbox/migration/", nil}, // the command prints it
	{"runtime/wire/", []string{"github.com/tinylib/msgp/"}},
	{"runtime/memstore/", []string{module + "runtime/store", module + "runtime/internal/"}},
	{"runtime/redisstore/", []string{module + "runtime/store", module + "runtime/internal/", "github.com/redis/rueidis"}},
	{"runtime/cachert/", []string{module + "runtime/store", module + "runtime/memstore", module + "runtime/internal/"}},
	{"runtime/cachecheck/", nil},
	{"runtime/", []string{module + "runtime/"}},
	{"internal/", []string{module + "internal/"}},
	{"spec/", nil},
}

// TestArrows reads the imports of every package of the module, without its tests.
func TestArrows(t *testing.T) {
	pkgs := list(t)
	if len(pkgs) < len(rules) {
		t.Fatalf("go list found %d packages", len(pkgs))
	}
	used := make([]bool, len(rules))
	for _, p := range pkgs {
		path := strings.TrimPrefix(p.ImportPath, module) + "/"
		at := -1
		for i, r := range rules {
			if strings.HasPrefix(path, r.from) {
				at = i
				break
			}
		}
		if at < 0 {
			t.Errorf("%s has no rule: say here what it may import", p.ImportPath)
			continue
		}
		used[at] = true
		for _, imp := range p.Imports {
			if !allowed(imp, rules[at].from, rules[at].may) {
				t.Errorf("%s imports %s, which a package below %s must not", p.ImportPath, imp, rules[at].from)
			}
		}
	}
	for i, u := range used {
		if !u {
			t.Errorf("no package is below %s any more", rules[i].from)
		}
	}
}

func allowed(imp, from string, may []string) bool {
	if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
		return true // the standard library
	}
	for _, m := range append([]string{module + from}, may...) {
		if imp == strings.TrimSuffix(m, "/") || strings.HasSuffix(m, "/") && strings.HasPrefix(imp, m) {
			return true
		}
	}
	return false
}

// nested reports whether a package belongs to a module of its own.
func nested(path string) bool {
	return slices.ContainsFunc([]string{"consistency", "databases", "example", "golden"}, func(m string) bool {
		return strings.HasPrefix(path, module+m)
	})
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func list(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", module+"...")
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return pkgs
		} else if err != nil {
			t.Fatal(err)
		}
		if !nested(p.ImportPath) {
			pkgs = append(pkgs, p)
		}
	}
}

// TestRequirements keeps the root module lean: each of its requirements lands in the module
// graphs of its users.
func TestRequirements(t *testing.T) {
	out, err := exec.Command("go", "mod", "edit", "-json", "../../go.mod").Output()
	if err != nil {
		t.Fatal(err)
	}
	var mod struct {
		Require []struct {
			Path     string
			Indirect bool
		}
	}
	if err := json.Unmarshal(out, &mod); err != nil {
		t.Fatal(err)
	}
	const want = "github.com/dave/jennifer github.com/redis/rueidis github.com/tinylib/msgp golang.org/x/tools"
	var direct []string
	for _, r := range mod.Require {
		if !r.Indirect {
			direct = append(direct, r.Path)
		}
	}
	if got := strings.Join(direct, " "); got != want {
		t.Errorf("the root module requires\n%s\nand should require\n%s", got, want)
	}
}
