package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var (
	playedBy = regexp.MustCompile("`([a-z/]+) (?:(Test\\w+)|\"([^\"`]+)\")`")
	heading  = regexp.MustCompile(`(?m)^## ([a-z-]+)$`)
)

// TestSchedulesHaveTheirTests finds each test that docs/schedules.md names, and each schedule of
// the model in docs/schedules.md.
func TestSchedulesHaveTheirTests(t *testing.T) {
	table := file(t, "docs/schedules.md")
	rows := map[string]bool{}
	tests := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 || strings.HasPrefix(cells[1], "-") || strings.TrimSpace(cells[2]) == "tests" {
			continue
		}
		name, played := strings.TrimSpace(cells[1]), playedBy.FindAllStringSubmatch(cells[2], -1)
		if rows[name] {
			t.Errorf("%s stands there twice", name)
		}
		rows[name] = true
		if len(played) == 0 && !strings.HasPrefix(strings.TrimSpace(cells[2]), "accepted") {
			t.Errorf("%s has no test and is not accepted", name)
		}
		for _, m := range played {
			tests++
			if !declared(t, m[1], m[2], m[3]) {
				t.Errorf("%s: there is no %s%s in %s", name, m[2], m[3], m[1])
			}
		}
	}
	for _, m := range heading.FindAllStringSubmatch(file(t, "spec/schedules.md"), -1) {
		if !rows[m[1]] {
			t.Errorf("docs/schedules.md does not say which test plays %s", m[1])
		}
	}
	if tests == 0 {
		t.Error("no test is named")
	}
}

func file(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(root, name))
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// declared looks for a test function, or for the case of a suite, in the files of a folder.
func declared(t *testing.T, dir, function, name string) bool {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range names {
		raw, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if function != "" && strings.HasSuffix(path, "_test.go") && strings.Contains(string(raw), "\nfunc "+function+"(t *testing.T)") ||
			name != "" && strings.Contains(string(raw), `"`+name+`"`) {
			return true
		}
	}
	return false
}
