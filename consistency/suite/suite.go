// Package suite runs the checker over layers, levels, databases and faults, and says in one
// table what came out.
package suite

import (
	"context"
	"fmt"
	"io"
	"os"
	"text/tabwriter"
	"time"

	"github.com/cachegen/cachegen/consistency/layer"
)

// Run is one line of the table.
type Run struct {
	Layer, Level string
	// Faults are "within" what the levels assume, "outside" of it, or "none".
	Faults string
	// Database is "postgres" or "sqlite".
	Database string
	Calls    uint64
}

// String names the run.
func (r Run) String() string {
	return fmt.Sprintf("%s, %s, faults %s, %s, %d calls", r.Layer, r.Level, r.Faults, r.Database, r.Calls)
}

// All are the runs of a suite with so many strict calls within the assumptions.
func All(calls uint64) []Run {
	ours := func(level, faults, database string, share uint64) Run {
		return Run{"cachegen", level, faults, database, max(calls/share, 20_000)}
	}
	runs := []Run{
		ours("strict", "within", "postgres", 1),
		ours("leased", "within", "postgres", 20),
		ours("session", "within", "postgres", 20),
		{"cachegen, onerror=fail", "session", "within", "postgres", max(calls/20, 20_000)},
		ours("bounded", "within", "postgres", 20),
		ours("eventual", "within", "postgres", 20),
		ours("strict", "within", "sqlite", 20),
		ours("session", "within", "sqlite", 40),
		ours("strict", "outside", "postgres", 10),
		ours("leased", "outside", "postgres", 20),
		ours("session", "outside", "postgres", 20),
		ours("bounded", "outside", "postgres", 20),
	}
	for _, k := range layer.Kinds {
		if k.Broken {
			runs = append(runs, Run{k.Name, k.Level, k.Faults, "postgres", max(calls/50, 40_000)})
		}
	}
	return runs
}

// List prints runs, one a line, with the values for the flags of the same names.
func List(out io.Writer, runs []Run) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "layer\tlevel\tfaults\tdatabase\tcalls")
	for _, r := range runs {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", r.Layer, r.Level, r.Faults, r.Database, r.Calls)
	}
	_ = w.Flush()
}

// Options are what all runs share.
type Options struct {
	Seed uint64
	// Keep is a directory for visualisations; empty: a temporary one.
	Keep string
	// Program is a program that serves as worker; empty: this one.
	Program string
	// Every is the pause between two faults, on average; 0 means half a second.
	Every time.Duration
	// Until ends the run of a layer that is known to be broken after so many broken promises; 0:
	// it goes on, and tells how often.
	Until uint64
	Out   io.Writer
}

// Check carries out runs one after the other and prints the table. It is clean when no promise
// was broken but by layers that are known to be broken, and by each of those.
func Check(ctx context.Context, runs []Run, o Options) (clean bool, err error) {
	if o.Keep == "" {
		if o.Keep, err = os.MkdirTemp("", "consistency-"); err != nil {
			return false, fmt.Errorf("suite: %w", err)
		}
	}
	if o.Every == 0 {
		o.Every = 500 * time.Millisecond
	}
	clean = true
	var rows []Outcome
	for _, r := range runs {
		out, err := One(ctx, r, o)
		if err != nil {
			return false, fmt.Errorf("%v: %w", r, err)
		}
		fmt.Fprintln(o.Out, out.Line())
		if !out.AsExpected() {
			fmt.Fprint(o.Out, out.Story())
		}
		clean = clean && out.AsExpected()
		rows = append(rows, out)
	}
	table(o.Out, rows)
	return clean, nil
}
