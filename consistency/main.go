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
	var o options
	flags.StringVar(&o.layer, "layer", "cachegen", "what to check")
	flags.StringVar(&o.level, "level", "strict", "level of all calls")
	flags.Uint64Var(&o.calls, "calls", 100_000, "how many calls are judged")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of all random choices")
	flags.IntVar(&o.processes, "processes", 3, "processes at a time")
	flags.IntVar(&o.clients, "clients", 8, "clients in each process")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt)
	defer cancel()
	clean, err := check(ctx, o, out)
	switch {
	case err != nil:
		fmt.Fprintln(errs, "consistency:", err)
		return 2
	case !clean:
		return 1
	}
	return 0
}
