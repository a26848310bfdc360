// Package docs checks that what the documents quote and link is there.
package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const root = "../.."

var (
	quote = regexp.MustCompile("(?s)<!-- from (\\S+) -->\n```\\w*\n(.*?)```")
	link  = regexp.MustCompile(`\]\(([^)#:]+)(#[^)]*)?\)`)
	code  = regexp.MustCompile("(?s)```.*?```|`[^`\n]*`")
)

// documents are all Markdown files of the project.
func documents(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	for _, pattern := range []string{"*.md", "docs/*.md", "example/*.md", "golden/*.md"} {
		names, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			raw, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			texts[name] = string(raw)
		}
	}
	return texts
}

// TestQuotes compares each block below <!-- from FILE --> with that file: its lines stand
// there in this order, without a gap, however far they are indented.
func TestQuotes(t *testing.T) {
	quotes := 0
	for name, text := range documents(t) {
		for _, m := range quote.FindAllStringSubmatch(text, -1) {
			quotes++
			src, err := os.ReadFile(filepath.Join(root, m[1]))
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if !strings.Contains(flat(string(src)), flat(m[2])) {
				t.Errorf("%s quotes %s, which does not say so any more:\n%s", name, m[1], m[2])
			}
		}
	}
	if quotes == 0 {
		t.Error("no document quotes any file")
	}
}

// flat is text without indentation.
func flat(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		b.WriteString(strings.TrimSpace(line) + "\n")
	}
	return b.String()
}

// TestLinks finds the files that documents link to.
func TestLinks(t *testing.T) {
	links := 0
	for name, text := range documents(t) {
		for _, m := range link.FindAllStringSubmatch(code.ReplaceAllString(text, ""), -1) {
			links++
			if _, err := os.Stat(filepath.Join(filepath.Dir(name), m[1])); err != nil {
				t.Errorf("%s links to %s, which is not there", name, m[1])
			}
		}
	}
	if links == 0 {
		t.Error("no document links to any file")
	}
}
