package loadgen

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Shop is what the load drives. Both calls return the version of the row they saw or made.
type Shop interface {
	Read(ctx context.Context, book int64) (version int64, err error)
	Update(ctx context.Context, book int64) (version int64, err error)
}

// Config is the shape of a load.
type Config struct {
	Books    int           `json:"books"`   // the load reads and updates books 1 to Books
	Workers  int           `json:"workers"` // each calls again as soon as it has its answer
	Theta    float64       `json:"theta"`   // of the Zipf distribution
	Reads    float64       `json:"reads"`   // share of reads, 0.95
	Duration time.Duration `json:"duration"`
	Seed     uint64        `json:"seed"`
}

func (c Config) validate() error {
	if c.Books < 1 || c.Workers < 1 || c.Duration <= 0 || c.Theta <= 0 || c.Theta >= 1 || c.Reads < 0 || c.Reads > 1 {
		return fmt.Errorf("loadgen: not a load: %+v", c)
	}
	return nil
}

// Run drives shop until the duration has passed or ctx ends, and reports what it saw. It adds
// each operation to ops as it is done. The calls in flight at the end are waited for.
func Run(ctx context.Context, c Config, shop Shop, ledger *Ledger, ops *atomic.Int64) (*Result, error) {
	if err := c.validate(); err != nil {
		return nil, err
	}
	zipf := NewZipf(c.Books, c.Theta)
	workers := make([]worker, c.Workers)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range workers {
		w := &workers[i]
		*w = worker{Config: c, shop: shop, ledger: ledger, zipf: zipf, ops: ops, result: newResult(),
			random: rand.New(rand.NewPCG(c.Seed, uint64(i)))}
		wg.Go(func() { w.run(ctx, start.Add(c.Duration)) })
	}
	wg.Wait()
	total := newResult()
	total.Elapsed = time.Since(start)
	for _, w := range workers {
		total.Add(w.result)
	}
	return total, ctx.Err()
}

// worker is one caller.
type worker struct {
	Config
	shop   Shop
	ledger *Ledger
	zipf   *Zipf
	random *rand.Rand
	ops    *atomic.Int64
	result *Result
}

func (w *worker) run(ctx context.Context, end time.Time) {
	for start := time.Now(); start.Before(end) && ctx.Err() == nil; start = time.Now() {
		book := int64(w.zipf.Draw(w.random)) + 1
		var err error
		if w.random.Float64() < w.Reads {
			err = w.read(ctx, book, start)
		} else {
			err = w.update(ctx, book, start)
		}
		if err != nil && ctx.Err() == nil {
			w.result.fail(err)
		}
		w.ops.Add(1)
		// A caller that never waits keeps its processor for 10 ms. Others, woken with their
		// answer, would be measured waiting for that: requests of a real server take turns.
		runtime.Gosched()
	}
}

// read checks the answer against the floors as they stood before the call.
func (w *worker) read(ctx context.Context, book int64, start time.Time) error {
	own, settled := w.ledger.Own(book), w.ledger.Settled(book, start)
	version, err := w.shop.Read(ctx, book)
	if err != nil {
		return err
	}
	record(w.result.Reads, time.Since(start))
	if version < own {
		w.result.StaleOwn++
	}
	if version < settled {
		w.result.StaleSettled++
	}
	return nil
}

func (w *worker) update(ctx context.Context, book int64, start time.Time) error {
	version, err := w.shop.Update(ctx, book)
	if err != nil {
		return err
	}
	now := time.Now()
	w.ledger.Acknowledge(book, version, now)
	record(w.result.Updates, now.Sub(start))
	return nil
}

func record(h *hdrhistogram.Histogram, d time.Duration) {
	_ = h.RecordValue(min(d.Nanoseconds(), longest)) // cannot fail within the range
}

// fail counts an error and keeps the first.
func (r *Result) fail(err error) {
	r.Errors++
	if r.FirstError == "" {
		r.FirstError = err.Error()
	}
}

// Check is an error when a read was stale or a call failed.
func (r *Result) Check() error {
	var errs []error
	if n := r.StaleOwn + r.StaleSettled; n > 0 {
		errs = append(errs, fmt.Errorf("%d stale reads (%d below what their own process had acknowledged)", n, r.StaleOwn))
	}
	if r.Errors > 0 {
		errs = append(errs, fmt.Errorf("%d calls failed, the first with: %s", r.Errors, r.FirstError))
	}
	return errors.Join(errs...)
}
