// Command consistency checks what the cache promises, over real servers and several processes,
// and shows that it would notice: the same calls over layers that are known to be broken, and
// over those of others, must not come out clean.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"

	"github.com/cachegen/cachegen/consistency/suite"
	"github.com/cachegen/cachegen/consistency/work"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

func main() {
	cachecheck.Worker(work.Open)
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

// run returns the exit code: 1 if a promise was broken, or a layer that is broken was not found
// out; 2 if that could not be checked.
func run(args []string, out, errs io.Writer) int {
	flags := flag.NewFlagSet("consistency", flag.ContinueOnError)
	flags.SetOutput(errs)
	var one suite.Run
	var calls, seed uint64
	flags.Uint64Var(&calls, "calls", 10_000_000, "strict calls that are judged; the other runs are shorter in proportion")
	flags.Uint64Var(&seed, "seed", 1, "seed of the random choices of calls and faults")
	flags.StringVar(&one.Layer, "layer", "", "check only this layer, with -calls calls (see -list)")
	flags.StringVar(&one.Level, "level", "strict", "with -layer: the level it is held to")
	flags.StringVar(&one.Faults, "faults", "within", "with -layer: within what the levels assume, outside of it, or none")
	flags.StringVar(&one.Database, "database", "postgres", "with -layer: postgres or sqlite")
	keep := flags.String("keep", "", "directory for visualisations of what is wrong; empty: the system's")
	list := flags.Bool("list", false, "list the runs and end")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	runs := suite.All(calls)
	if one.Layer != "" {
		one.Calls = calls
		runs = []suite.Run{one}
	}
	if *list {
		suite.List(out, runs)
		return 0
	}
	clean, err := suite.Check(ctx, runs, suite.Options{Seed: seed, Keep: *keep, Out: out})
	switch {
	case err != nil:
		fmt.Fprintln(errs, "consistency:", err)
		return 2
	case !clean:
		return 1
	}
	return 0
}
