// Package work is what one process of the checker does: random calls of a layer, with pauses,
// cancelled calls, rolled back transactions and its own death at random steps.
package work

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"strings"
	"sync/atomic"

	"github.com/cachegen/cachegen/consistency/layer"
	"github.com/cachegen/cachegen/consistency/source"
	"github.com/cachegen/cachegen/consistency/trace"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// Config is what all processes of a run are told.
type Config struct {
	Layer    string
	Database string
	// Redis holds an address for each slot.
	Redis     []string
	Namespace string
	// Traces is a directory for the steps of each process.
	Traces string
	// Items is the number of rows; the first Hot of them get half of all calls.
	Items, Hot int
	// Writes is the share of calls that write, in percent.
	Writes int
	// Rows keeps to single rows.
	Rows bool
	// Pause and Kill are how many steps there are, on average, to a pause and to the death of
	// the process; Cancel and Abort how many calls to one that is cancelled and to one
	// whose transaction is rolled back. 0: never.
	Pause, Kill, Cancel, Abort int
	// Tell prints the steps of a write that has lost its marker, which is not to happen.
	Tell bool
}

// String encodes c for a Plan.
func (c Config) String() string {
	text, err := json.Marshal(c)
	if err != nil {
		panic(err) // strings and numbers
	}
	return string(text)
}

// Open makes the System of one process.
func Open(_ context.Context, s cachecheck.Setup) (cachecheck.System, error) {
	var c Config
	if err := json.Unmarshal([]byte(s.Config), &c); err != nil {
		return nil, fmt.Errorf("work: %w", err)
	}
	open, ok := layer.Find(c.Layer)
	if !ok {
		return nil, fmt.Errorf("work: no layer %q", c.Layer)
	}
	src, err := source.Open(c.Database)
	if err != nil {
		return nil, err
	}
	ring, err := trace.Create(c.Traces, s.Process)
	if err != nil {
		return nil, err
	}
	debug.SetGCPercent(400) // there is little to keep, and it comes and goes with each call
	w := &Worker{config: c, process: s.Process, ring: ring}
	w.debts.ring, w.debts.calls = ring, make([]atomic.Int64, s.Clients)
	src.Step = w.sourceStep
	owing := w.debts.incur
	if s.Level == cachecheck.Eventual { // nothing lives longer than the TTL, whoever owes what
		owing = func() {}
	}
	w.layer, err = open.Open(layer.Settings{
		Source: src, Redis: c.Redis[int(s.Slot)%len(c.Redis)], Namespace: c.Namespace, Level: s.Level, Step: w.step,
		Owing: owing, Lost: w.lost,
	})
	if err != nil {
		return nil, err
	}
	w.debts.owes = w.layer.Owes
	return w, nil
}

func (c Config) isPostgres() bool { return strings.HasPrefix(c.Database, "postgres://") }
