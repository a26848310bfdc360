package diag

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// Print writes list as `./dir/file.go:12:34: message [CG123]`, each with the line it is
// about, carets below the words meant, and the cure. Names are relative to dir where they
// lie below it; the leading "./" is what problem matchers of CI systems look for.
func Print(w io.Writer, dir string, list []Diagnostic) {
	files := map[string][][]byte{}
	for _, d := range list {
		severity := ""
		if d.Severity == Note {
			severity = "note: "
		}
		fmt.Fprintf(w, "%s:%d:%d: %s%s [%s]\n", Relative(dir, d.Pos.Filename), d.Pos.Line, d.Pos.Column, severity, d.Message, d.Code)
		snippet(w, line(files, d.Pos.Filename, d.Pos.Line), d)
		if d.Help != "" {
			fmt.Fprintf(w, "\thelp: %s\n", d.Help)
		}
	}
}

// Relative is name as a diagnostic shows it, with slashes on every system.
func Relative(dir, name string) string {
	rel, err := filepath.Rel(dir, name)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return filepath.ToSlash(name)
	}
	return "./" + filepath.ToSlash(rel)
}

// line returns a line of a file, nil when there is none.
func line(files map[string][][]byte, name string, n int) []byte {
	lines, ok := files[name]
	if !ok {
		src, _ := os.ReadFile(name) // without the source there is no snippet
		lines = bytes.Split(src, []byte("\n"))
		files[name] = lines
	}
	if n < 1 || n > len(lines) {
		return nil
	}
	return bytes.TrimRight(lines[n-1], "\r")
}

// snippet writes the line and marks the columns meant. Tabs stay tabs, so that the carets
// stand below their words however wide a tab is.
func snippet(w io.Writer, src []byte, d Diagnostic) {
	col := d.Pos.Column - 1
	if src == nil || col < 0 || col > len(src) {
		return
	}
	pad := []rune{}
	for _, r := range string(src[:col]) {
		if r != '\t' {
			r = ' '
		}
		pad = append(pad, r)
	}
	width := 1
	if d.End.Line == d.Pos.Line && d.End.Column-1 > col && d.End.Column-1 <= len(src) {
		width = len([]rune(string(src[col : d.End.Column-1])))
	}
	fmt.Fprintf(w, "\t%s\n\t%s%s\n", src, string(pad), strings.Repeat("^", width))
}
