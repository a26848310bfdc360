package load

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Outputs lists the generator's own files beside the packages whose source was loaded with
// them or is gone. Output of sources that these build tags leave out is not listed.
func Outputs(pkgs []*Package) []string {
	var out []string
	for _, p := range pkgs {
		found, _ := filepath.Glob(filepath.Join(p.Dir, "*_cachegen*.go")) // the pattern is well formed
		for _, name := range found {
			src, err := os.ReadFile(name)
			if err != nil || !IsOutput(name, src) {
				continue
			}
			source := filepath.Join(p.Dir, sourceOf(src))
			_, err = os.Stat(source)
			if err != nil || slices.ContainsFunc(p.Files, func(f *File) bool { return f.Name == source }) {
				out = append(out, name)
			}
		}
	}
	return out
}

// sourceOf is the source that a generated file names.
func sourceOf(src []byte) string {
	_, rest, _ := bytes.Cut(src, []byte(Header))
	name, _, _ := strings.Cut(string(rest), ". DO NOT EDIT")
	return filepath.Base(name)
}
