package work

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cachegen/cachegen/consistency/items"
	"github.com/cachegen/cachegen/consistency/layer"
	"github.com/cachegen/cachegen/consistency/source"
	"github.com/cachegen/cachegen/consistency/trace"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// The views of a row: by itself, in a list, through the index.
const (
	ByID uint8 = iota
	OnShelf
	ByName
)

// The faults that a process does to itself, as Op.Note knows them.
const (
	Paused uint64 = iota
	Cancelled
	RolledBack
	Conflict
)

// Notes names them.
var Notes = []string{"pause", "cancelled call", "rollback", "conflict"}

// Timeout bounds a call, so that the lease can be longer than what a write may live.
const Timeout = 1500 * time.Millisecond

// Worker is the System of one process.
type Worker struct {
	config  Config
	process uint32
	ring    *trace.Ring
	layer   layer.Layer
	pauses  atomic.Uint64 // not noted yet
	debts   debts
	poster  atomic.Uint32 // the client that has last been told of a post
}

// clientKey is under which a context carries the number of the client that is calling.
type clientKey struct{}

// Step implements cachecheck.System.
func (w *Worker) Step(ctx context.Context, op *cachecheck.Op) {
	w.debts.begin(op.Client)
	defer w.debts.end(op)
	r := op.Rand
	if n := w.pauses.Swap(0); n > 0 {
		op.Note(Paused, n)
	}
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, clientKey{}, op.Client), w.patience(op))
	defer cancel()
	id := w.pick(r)
	if r.IntN(100) < w.config.Writes {
		w.change(ctx, op, id)
		return
	}
	switch n := r.IntN(100); {
	case n < 60 || w.config.Rows:
		w.byID(ctx, op, id)
	case n < 80:
		w.onShelf(ctx, op, (id-1)/source.PerShelf+1)
	default:
		w.byName(ctx, op, id)
	}
}

// patience is the deadline of a call; a few are given up right away.
func (w *Worker) patience(op *cachecheck.Op) time.Duration {
	if one(op.Rand, w.config.Cancel) {
		op.Note(Cancelled, 1)
		return time.Duration(op.Rand.Int64N(int64(3 * time.Millisecond)))
	}
	return Timeout
}

func (w *Worker) pick(r *rand.Rand) int64 {
	if r.IntN(2) == 0 {
		return 1 + r.Int64N(int64(w.config.Hot))
	}
	return 1 + r.Int64N(int64(w.config.Items))
}

func one(r *rand.Rand, of int) bool { return of > 0 && r.IntN(of) == 0 }

func (w *Worker) byID(ctx context.Context, op *cachecheck.Op, id int64) {
	it, err := w.layer.ByID(ctx, id)
	switch {
	case errors.Is(err, items.ErrNotFound):
		op.Absent(item(id), ByID)
	case err == nil:
		saw(op, *it, ByID)
	}
}

func (w *Worker) onShelf(ctx context.Context, op *cachecheck.Op, shelf int64) {
	list, version, err := w.layer.OnShelf(ctx, shelf)
	if err != nil {
		return
	}
	op.Saw(source.ShelfObject|uint64(shelf), OnShelf, uint64(version), 0)
	for _, it := range list {
		saw(op, it, OnShelf)
	}
}

func (w *Worker) byName(ctx context.Context, op *cachecheck.Op, name int64) {
	n, err := w.layer.ByName(ctx, name)
	switch {
	case errors.Is(err, items.ErrNotFound):
		op.Absent(source.NameObject|uint64(name), ByName)
	case err == nil:
		op.Saw(source.NameObject|uint64(name), ByName, uint64(n.NameVersion), 0)
		saw(op, n.Item, ByName)
	}
}

func item(id int64) uint64 { return source.ItemObject | uint64(id) }

func saw(op *cachecheck.Op, it items.Item, view uint8) {
	op.Saw(item(it.ID), view, uint64(it.Version), uint64(it.Value))
}

// Final implements cachecheck.System.
func (w *Worker) Final(ctx context.Context, op *cachecheck.Op) {
	for id := int64(1); id <= int64(w.config.Items); id++ {
		w.byID(ctx, op, id)
		if w.config.Rows {
			continue
		}
		w.byName(ctx, op, id)
		if id%source.PerShelf == 1 {
			w.onShelf(ctx, op, (id-1)/source.PerShelf+1)
		}
	}
}

// Rest implements cachecheck.System.
func (w *Worker) Rest(ctx context.Context) error { return w.layer.Rest(ctx) }

// Stats implements cachecheck.System.
func (w *Worker) Stats() map[string]uint64 { return w.layer.Stats() }

// step is called between any two steps of the layer: it may pause, and the process may end here.
func (w *Worker) step(ctx context.Context, step, on, what string) {
	client, _ := ctx.Value(clientKey{}).(uint32)
	w.ring.Add(client, step, on, what)
	if step == layer.HasPosted {
		w.poster.Store(client)
	}
	if n := w.config.Kill; n > 0 && rand.IntN(n) == 0 {
		w.debts.unlessOwing(func() { // who dies owing voids too much
			w.ring.Add(client, "KILLED", "", "")
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {} // it comes
		})
	}
	if n := w.config.Pause; n > 0 && rand.IntN(n) == 0 {
		w.pauses.Add(1)
		time.Sleep(pause())
	}
}

// lost tells the steps of the client that has lost a marker, as far back as markers live.
func (w *Worker) lost() {
	if w.config.Tell {
		client, now := w.poster.Load(), cachecheck.Now()
		fmt.Fprintf(os.Stderr, "process %d client %d has lost a marker:\n%s", w.process, client, trace.Tell(w.config.Traces, w.process, client, now-2*int64(layer.Lease), now))
	}
}

// pause is short as a rule, and now and then as long as several other calls.
func pause() time.Duration {
	if rand.IntN(20) == 0 {
		return rand.N(40 * time.Millisecond)
	}
	return rand.N(2 * time.Millisecond)
}

type abortKey struct{}

// sourceStep is step, and what rolls a transaction back right before its COMMIT.
func (w *Worker) sourceStep(ctx context.Context, name string) error {
	w.step(ctx, name, "", "")
	if name == "commit" && ctx.Value(abortKey{}) != nil {
		return source.ErrRolledBack
	}
	return nil
}

var serializable = &sql.TxOptions{Isolation: sql.LevelRepeatableRead}
