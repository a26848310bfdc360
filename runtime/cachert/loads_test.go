package cachert

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// narrow is a shop whose source is asked by so many at a time.
func narrow(t *testing.T, limit int) *shop {
	t.Helper()
	s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.MaxLoads = limit })
	for id := range int64(100) {
		s.rows[id] = book{ID: id, Version: 1}
	}
	return s
}

// Everything is lost while many read: the source never sees more than the limit at a time,
// everybody is answered, and the limit is reached.
func TestLoadsStayBelowTheLimitAfterAFlush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := narrow(t, 3)
		for id := range int64(100) {
			s.mustGet(t.Context(), id)
		}
		if err := s.cache.InvalidateAll(t.Context()); err != nil {
			t.Fatal(err)
		}
		var running, most atomic.Int64
		release := make(chan struct{})
		s.hook = func() {
			n := running.Add(1)
			defer running.Add(-1)
			for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
			}
			<-release
		}
		var wg sync.WaitGroup
		for id := range int64(100) {
			wg.Go(func() { s.mustGet(t.Context(), id) })
		}
		synctest.Wait()
		if n := running.Load(); n != 3 {
			t.Errorf("%d loads run, want 3", n)
		}
		close(release)
		wg.Wait()
		if n := most.Load(); n != 3 || s.cache.Stats().LoadsWaited != 97 {
			t.Errorf("at most %d loads, %d waited; want 3 and 97", n, s.cache.Stats().LoadsWaited)
		}
		_ = s.cache.Close()
	})
}

// Who waits for a turn leaves when its context ends; the turn is not lost with it, nor with a
// source that panics.
func TestAWaitingLoadLeavesWithItsContext(t *testing.T) {
	s := narrow(t, 1)
	ctx, leave, err := s.cache.loads.enter(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := s.cache.loads.enter(ctx); err != nil {
		t.Errorf("a load inside another one: %v", err)
	}
	s.cache.gate.close(errClosed) // each for itself
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.get(ended, 1); !errors.Is(err, ErrOverloaded) || !errors.Is(err, context.Canceled) {
		t.Errorf("a read whose context has ended: %v", err)
	}
	leave()
	func() {
		defer func() { _ = recover() }()
		s.hook = func() { panic("source") }
		_, _ = s.get(t.Context(), 1)
	}()
	s.hook = nil
	s.mustGet(t.Context(), 1)
}

// A load that reads another object holds its turn while it waits:
//
//  1. the load of book 1 has the only turn
//  2. another caller asks for book 2: its flight waits for a turn
//  3. the load of book 1 asks for book 2, too; were it to join that flight, each would wait for
//     the other
func TestALoadInsideALoadDoesNotWaitForATurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := narrow(t, 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		proceed := make(chan struct{})
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.byID.Get(ctx, s.call(1), func(ctx context.Context) (*book, error) {
				<-proceed
				return s.get(ctx, 2)
			})
			if err != nil {
				t.Errorf("book 1, through book 2: %v", err)
			}
		})
		synctest.Wait()
		wg.Go(func() { s.mustGet(ctx, 2) })
		synctest.Wait()
		close(proceed)
		wg.Wait()
		_ = s.cache.Close()
	})
}
