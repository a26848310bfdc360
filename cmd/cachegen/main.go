// Cachegen reads annotated repository interfaces and writes their caching wrappers.
//
// Usage:
//
//	cachegen [-C dir] [-tags list] [-n] [-v] [packages]
//	cachegen outbox -dialect postgres|mysql|sqlite [-table name]
//
// Without packages it works on the package in the current directory, as in
//
//	//go:generate go tool cachegen
//
// The second form prints the migration for writes with onerror=outbox.
//
// It exits with 0 when all is well, with 1 when it has findings (or, with -n, when files
// would change), and with 2 when it could not run.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/cachegen/cachegen/generator"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// The exit codes.
const (
	clean    = 0
	findings = 1
	failed   = 2
)

const usage = `usage: cachegen [-C dir] [-tags list] [-n] [-v] [packages]
       cachegen outbox -dialect postgres|mysql|sqlite [-table name]

Writes caching wrappers for the interfaces with //cachegen:repo in the packages
(default: the package in the current directory).

  -C dir      work as if started in dir
  -tags list  build tags, separated by commas
  -n          write nothing, list the files that would change
  -v          show notes, files and times

The second form prints the migration that onerror=outbox needs.
`

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "outbox" {
		return outbox(args[1:], stdout, stderr)
	}
	flags := flag.NewFlagSet("cachegen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(stderr, usage) }
	chdir := flags.String("C", ".", "")
	tags := flags.String("tags", "", "")
	dry := flags.Bool("n", false, "")
	verbose := flags.Bool("v", false, "")
	if err := flags.Parse(args); err != nil {
		if err == flag.ErrHelp {
			return clean
		}
		return failed
	}
	dir, err := filepath.Abs(*chdir)
	if err == nil {
		_, err = os.Stat(dir) // the go command would be blamed for it
	}
	if err != nil {
		return complain(stderr, err)
	}
	res, err := generator.Generate(generator.Options{Dir: dir, Tags: *tags, Patterns: flags.Args()})
	if err != nil {
		return complain(stderr, err)
	}
	res.Print(stderr, dir, *verbose)
	if res.Failed() {
		return findings
	}
	return commit(res, dir, *dry, *verbose, stdout, stderr)
}

// commit writes what changed, or lists it.
func commit(res *generator.Result, dir string, dry, verbose bool, stdout, stderr io.Writer) int {
	changed, err := res.Changed()
	if err != nil {
		return complain(stderr, err)
	}
	for _, f := range changed {
		if !dry {
			if err := f.Write(); err != nil {
				return complain(stderr, err)
			}
		}
		if dry || verbose {
			fmt.Fprintln(stdout, verb(f, dry), relative(dir, f.Name))
		}
	}
	if verbose {
		for _, p := range res.Phases {
			fmt.Fprintf(stderr, "%-6s %v\n", p.Name, p.Time.Round(1000))
		}
	}
	if dry && len(changed) > 0 {
		return findings
	}
	return clean
}

func verb(f generator.File, dry bool) string {
	switch {
	case f.Content == nil && dry:
		return "would remove"
	case f.Content == nil:
		return "removed"
	case dry:
		return "would write"
	}
	return "wrote"
}

func relative(dir, name string) string {
	if rel, err := filepath.Rel(dir, name); err == nil {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(name)
}

func complain(stderr io.Writer, err error) int {
	fmt.Fprintln(stderr, "cachegen:", err)
	return failed
}
