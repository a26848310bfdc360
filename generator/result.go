package generator

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/cachegen/cachegen/generator/internal/diag"
	"github.com/cachegen/cachegen/generator/internal/load"
)

// Result is what one run has to say and to write.
type Result struct {
	Files       []File // in the order of packages and sources
	Diagnostics []diag.Diagnostic
	Phases      []Phase
}

// File is one generated file.
type File struct {
	Name    string // absolute
	Content []byte // nil: the file has no source any more and goes
}

// Failed reports whether any diagnostic is an error; then there are no files.
func (r *Result) Failed() bool { return diag.Failed(r.Diagnostics) }

// Print writes the diagnostics with names relative to dir; notes only on request.
func (r *Result) Print(w io.Writer, dir string, notes bool) {
	list := slices.DeleteFunc(slices.Clone(r.Diagnostics), func(d diag.Diagnostic) bool {
		return d.Severity == diag.Note && !notes
	})
	diag.Print(w, dir, list)
}

// Changed lists the files that differ from what is on disk. It fails where a file of that
// name exists that the generator did not write.
func (r *Result) Changed() ([]File, error) {
	var out []File
	for _, f := range r.Files {
		have, err := os.ReadFile(f.Name)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			if f.Content != nil {
				out = append(out, f)
			}
		case err != nil:
			return nil, err
		case !load.IsOutput(f.Name, have):
			return nil, fmt.Errorf("%s was not written by cachegen: rename it, its name is needed", f.Name)
		case f.Content == nil || !bytes.Equal(bytes.ReplaceAll(have, []byte("\r\n"), []byte("\n")), f.Content): // git may have made it CRLF
			out = append(out, f)
		}
	}
	return out, nil
}

// Write replaces the file as a whole, so that no reader ever sees half of it.
func (f File) Write() error {
	if f.Content == nil {
		return os.Remove(f.Name)
	}
	tmp, err := os.CreateTemp(filepath.Dir(f.Name), ".cachegen-*")
	if err != nil {
		return err
	}
	_, err = tmp.Write(f.Content)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), f.Name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp.Name()))
	}
	return nil
}

// orphans lists output beside loaded packages whose source holds no repository any more.
func (r *Result) orphans(pkgs []*load.Package) {
	made := map[string]bool{}
	for _, f := range r.Files {
		made[f.Name] = true
	}
	for _, name := range load.Outputs(pkgs) {
		if !made[name] {
			r.Files = append(r.Files, File{Name: name})
		}
	}
}
