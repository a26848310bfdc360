package cachert

import (
	"context"
	"fmt"
	"runtime/debug"
	"time"
)

// flight is a load shared by the calls that saw the same snapshot. The snapshot is part of
// the flight's key, for else:
//
//  1. reader A snapshots generation g, starts to load version 1
//  2. a writer commits version 2 and is acknowledged
//  3. reader B starts, joins A's load and returns version 1: older than what was acknowledged
//
// B has seen another generation, so it starts a flight of its own. For the same reason nobody
// joins a flight that has widened its snapshot since it started.
type flight[V any] struct {
	done    chan struct{}
	cancel  context.CancelFunc
	waiters int  // guarded by Reader.mu
	shared  bool // somebody has joined; guarded by Reader.mu

	// Written before done is closed, read after.
	value    V
	err      error
	panicked *loadPanic
}

// loadPanic carries a panic of the source, or its runtime.Goexit, to every waiter.
type loadPanic struct {
	value any
	stack []byte
}

func (p *loadPanic) Error() string {
	return fmt.Sprintf("cachegen: the source panicked: %v\n\n%s", p.value, p.stack)
}

// fly returns the result of load, run once for all calls with this key at the same time.
// The load runs on a goroutine of its own with the values of the first caller's context;
// it is cancelled when the last waiting caller has gone, never because the first one has. It
// is given a function after which nobody joins any more, and which says whether anybody has.
func (r *Reader[V]) fly(ctx context.Context, key string, load func(ctx context.Context, full func() (shared bool)) (V, error)) (V, error) {
	r.mu.Lock()
	f, joined := r.flights[key]
	if !joined {
		f = &flight[V]{done: make(chan struct{})}
		var flightCtx context.Context
		flightCtx, f.cancel = context.WithCancel(context.WithoutCancel(ctx))
		r.flights[key] = f
		go r.run(flightCtx, key, f, load)
	}
	f.waiters++
	f.shared = f.shared || joined
	r.mu.Unlock()
	if joined {
		r.stats.joined.Add(1)
	}

	select {
	case <-f.done:
	case <-ctx.Done():
		r.leave(key, f)
		var zero V
		return zero, ctx.Err()
	}
	if f.panicked != nil {
		panic(f.panicked)
	}
	return r.clone(f.value), f.err
}

func (r *Reader[V]) run(ctx context.Context, key string, f *flight[V], load func(context.Context, func() bool) (V, error)) {
	full := func() (shared bool) {
		r.mu.Lock()
		defer r.mu.Unlock()
		if r.flights[key] == f {
			delete(r.flights, key)
		}
		return f.shared
	}
	finished := false
	defer func() {
		if !finished {
			f.panicked = &loadPanic{recoverOrGoexit(recover()), debug.Stack()}
		}
		full()
		close(f.done)
		f.cancel()
	}()
	f.value, f.err = load(ctx, full)
	finished = true
}

func recoverOrGoexit(v any) any {
	if v == nil {
		return "runtime.Goexit was called"
	}
	return v
}

// leave takes a caller out of a flight; the last one cancels it, and nobody joins it again.
func (r *Reader[V]) leave(key string, f *flight[V]) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.waiters--
	if f.waiters == 0 {
		f.cancel()
		if r.flights[key] == f {
			delete(r.flights, key)
		}
	}
}

// load waits for its turn, calls the source and counts it.
func (r *Reader[V]) load(ctx context.Context, source func(context.Context) (V, error)) (V, error) {
	ctx, leave, err := r.repo.cache.loads.enter(ctx)
	if err != nil {
		var zero V
		return zero, err
	}
	defer leave()
	start := r.repo.cache.now()
	v, err := source(ctx)
	took := r.repo.cache.now().Sub(start)
	r.stats.loads.Add(1)
	r.stats.loadNanos.Add(uint64(max(took, time.Duration(0))))
	if err != nil && r.sentinel(err) < 0 {
		r.stats.loadErrors.Add(1)
	}
	r.stats.observe(EventLoad, took, err)
	return v, err
}
