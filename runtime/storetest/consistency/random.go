package consistency

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// keys is the number of rows: few, so that writes overlap.
const keys = 6

// floors are the versions below which no read that starts now may fall, one for each row.
type floors [keys]atomic.Int64

func (f *floors) raise(r row) {
	floor := &f[r.ID]
	for old := floor.Load(); old < r.Version; old = floor.Load() {
		if floor.CompareAndSwap(old, r.Version) {
			return
		}
	}
}

func (f *floors) now() (at [keys]int64) {
	for i := range f {
		at[i] = f[i].Load()
	}
	return at
}

// world is one random run: what each process, or at strict and leased everybody, has been
// acknowledged, and what it has read. An object is one row or one list: what was read in the
// one says nothing about the other at session level.
type world struct {
	t         *testing.T
	db        *database
	processes []*process
	acked     []*floors // of each process
	ones      []*floors // read as rows, by each process
	lists     []*floors // read in lists, by each process
}

// random lets readers and writers loose on a few rows through both processes. Some writes
// fail, before or after their commit. At session level no read may return less than what its
// own process was acknowledged or had read of the same object before the read began; at
// strict and leased, less than anybody was or had read.
func (c Config) random(t *testing.T) {
	for _, level := range []cachert.Level{cachert.LevelSession, cachert.LevelStrict, cachert.LevelLeased} {
		t.Run(level.String(), func(t *testing.T) {
			w := &world{t: t}
			w.db, w.processes = c.open(t, level)
			for id := range int64(keys) {
				w.db.commit(id)
			}
			for _, f := range []*[]*floors{&w.acked, &w.ones, &w.lists} {
				*f = []*floors{new(floors), new(floors)}
				if level >= cachert.LevelStrict {
					(*f)[1] = (*f)[0]
				}
			}
			if level >= cachert.LevelStrict {
				w.ones, w.lists = w.acked, w.acked
			}
			steps := c.Steps
			if level == cachert.LevelLeased { // whose writes wait
				steps /= 2
			}
			w.run(steps, level)
			drain(t, w.processes)
			w.settled(level)
			healthy(t, w.processes)
			near, stored := hits(w.processes)
			t.Logf("%d steps, %d reads answered near, %d by the store", steps, near, stored)
		})
	}
}

func (w *world) run(steps int, level cachert.Level) {
	const actors = 8
	var wg sync.WaitGroup
	for i := range uint64(actors) {
		rnd := rand.New(rand.NewPCG(i, uint64(level)))
		wg.Go(func() {
			for range steps / actors {
				w.step(rnd, int(i%2))
				if w.t.Failed() {
					return
				}
			}
		})
	}
	wg.Wait()
}

func (w *world) step(rnd *rand.Rand, who int) {
	p, acked := w.processes[who], w.acked[who]
	ctx, id := w.t.Context(), rnd.Int64N(keys)
	switch n := rnd.IntN(100); {
	case n < 60:
		writes, reads := acked.now(), w.ones[who].now()
		r, err := p.byID(ctx, id, nil)
		w.check(writes, reads, r, err)
		w.ones[who].raise(r)
	case n < 80:
		writes, reads := acked.now(), w.lists[who].now()
		rows, err := p.byShelf(ctx, rnd.Int64N(shelves))
		for _, r := range rows {
			w.check(writes, reads, r, err)
			w.lists[who].raise(r)
		}
	default:
		r, err := p.write(ctx, w.randomWrite(rnd, id))
		if err == nil {
			acked.raise(r)
		}
	}
}

var errWrite = errors.New("the write failed after its commit")

func (w *world) randomWrite(rnd *rand.Rand, id int64) write {
	ch := write{id: id, put: rnd.IntN(2) == 0}
	if rnd.IntN(10) == 0 {
		ch.after = func() error { return errWrite }
	}
	return ch
}

// check compares a row with what had been acknowledged and read before the read began.
func (w *world) check(acked, read [keys]int64, r row, err error) {
	w.t.Helper()
	switch {
	case err != nil:
		w.t.Errorf("read: %v", err)
	case r.Version < acked[r.ID]:
		w.t.Errorf("stale: row %d at version %d, when %d had been acknowledged before the read began", r.ID, r.Version, acked[r.ID])
	case r.Version < read[r.ID]:
		w.t.Errorf("back in time: row %d at version %d, when %d had been read before the read began", r.ID, r.Version, read[r.ID])
	}
}

// settled checks that, once all is quiet, every read returns what the database holds: strict
// reads at once, others as soon as the last invalidations have arrived.
func (w *world) settled(level cachert.Level) {
	w.t.Helper()
	deadline, cancel := context.WithTimeout(w.t.Context(), 10*time.Second)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for i, p := range w.processes {
		for id := range int64(keys) {
			want := w.db.byID(id)
			got, err := p.byID(cachert.Fresh(w.t.Context()), id, nil)
			if err != nil || got != want {
				w.t.Errorf("process %d, strict, all quiet: %+v, %v, want %+v", i, got, err, want)
			}
			for got, err = p.byID(w.t.Context(), id, nil); err == nil && got != want; got, err = p.byID(w.t.Context(), id, nil) {
				select {
				case <-tick.C:
					continue
				case <-deadline.Done():
				}
				w.t.Errorf("process %d, %v, all quiet for ten seconds: %+v, want %+v", i, level, got, want)
				return
			}
			if err != nil {
				w.t.Errorf("process %d: %v", i, err)
			}
		}
	}
}
