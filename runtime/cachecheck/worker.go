package cachecheck

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"sync/atomic"
)

const workerEnv = "CACHECHECK_WORKER"

// Setup is what a worker process is told.
type Setup struct {
	// Process is a new number for each start; Slot the same for what replaces a dead process.
	Process, Slot uint32
	Clients       int
	Level         Level
	Seed          uint64
	// Config is the Plan's.
	Config string
}

// Worker does nothing unless this process has been started by Run: then it works and never
// returns. Call it first in main, or in TestMain.
func Worker(open func(ctx context.Context, s Setup) (System, error)) {
	text := os.Getenv(workerEnv)
	if text == "" {
		return
	}
	if err := work(text, open); err != nil {
		fmt.Fprintln(os.Stderr, "cachecheck worker:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

// work obeys the commands on the standard input, one a line: go, stop, final, stats. It ends
// with its input, so that it does not outlive whoever started it.
func work(text string, open func(context.Context, Setup) (System, error)) error {
	var s Setup
	if err := json.Unmarshal([]byte(text), &s); err != nil {
		return err
	}
	ctx := context.Background()
	sys, err := open(ctx, s)
	if err != nil {
		return err
	}
	out := os.NewFile(3, "events")
	ops := make([]*Op, s.Clients)
	for i := range ops {
		ops[i] = &Op{
			Rand:  rand.New(rand.NewPCG(s.Seed+uint64(s.Process), uint64(i))),
			Level: s.Level, Client: uint32(i), process: s.Process, out: out,
		}
	}
	var stop atomic.Bool
	var clients sync.WaitGroup
	in := bufio.NewScanner(os.Stdin)
	for in.Scan() {
		switch command := in.Text(); command {
		case "go":
			for _, op := range ops {
				clients.Go(func() { op.loop(ctx, sys, &stop) })
			}
		case "stop":
			stop.Store(true)
			clients.Wait()
			reply("stopped")
		case "rest":
			if err := sys.Rest(ctx); err != nil {
				reply("rest: " + err.Error())
				continue
			}
			reply("rested")
		case "final":
			ops[0].round(ctx, sys)
			reply("done")
		case "stats":
			text, err := json.Marshal(sys.Stats())
			if err != nil {
				return err
			}
			reply(string(text))
		default:
			return fmt.Errorf("unknown command %q", command)
		}
	}
	return in.Err()
}

func reply(line string) { fmt.Println(strings.ReplaceAll(line, "\n", " ")) }

func (op *Op) loop(ctx context.Context, sys System, stop *atomic.Bool) {
	for !stop.Load() {
		op.Serial++
		op.start = Now()
		sys.Step(ctx, op)
		if op.end() != nil {
			return // nobody reads: the run is over
		}
	}
	op.done()
}

func (op *Op) round(ctx context.Context, sys System) {
	op.final = true
	op.start = Now()
	sys.Final(ctx, op)
	_ = op.end()
	op.final = false
	op.done()
}

func (op *Op) done() {
	now := Now()
	op.flush(Event{Kind: Done, Level: op.Level, Process: op.process, Client: op.Client, Start: now, End: now})
}
