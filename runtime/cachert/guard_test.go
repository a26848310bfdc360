package cachert

import (
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

var errDriver = errors.New("canceling statement due to user request")

// 1. a write marks; the source hangs
// 2. its context ends inside the lease; the driver makes an error of its own of it
// 3. the database commits all the same, a little later: readers must not have stored the old row
func TestMarkedWriteEndsInsideItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := newShop(t, nil), context.Background()
		start := time.Now()
		err := s.update.Do(ctx, Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Run:  func(ctx context.Context) error { <-ctx.Done(); return errDriver },
		})
		if took := time.Since(start); err != errDriver || took != 7500*time.Millisecond {
			t.Errorf("%v after %v, want the source's own error after three quarters of the lease", err, took)
		}
		s.mustGet(ctx, 1)
		s.drain()
		s.mu.Lock()
		s.rows[1] = book{ID: 1, Version: 2}
		s.mu.Unlock()
		s.wantVersion(ctx, 1, 2)
		if v := s.cache.Stats().Voids; v != (Voids{Unknown: 1, Overdue: 1}) {
			t.Errorf("%+v, want one unknown and one overdue", v)
		}
	})
}

func TestAnEarlierDeadlineWins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		want, _ := ctx.Deadline()
		failed := errors.New("no such row")
		_, err := s.bump(ctx, 1, func() error { return failed })
		if err != failed {
			t.Fatal(err)
		}
		err = s.update.Do(ctx, Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Run: func(ctx context.Context) error {
				if got, ok := ctx.Deadline(); !ok || got != want {
					t.Errorf("the deadline is %v, want the caller's", got)
				}
				<-ctx.Done()
				return failed // known: the caller's deadline says nothing about the lease
			},
		})
		if v := s.cache.Stats().Voids; err != failed || v != (Voids{}) {
			t.Errorf("%v, %+v", err, v)
		}
	})
}

// An unmarked write has no lease, and no deadline.
func TestUnmarkedWriteHasNoDeadline(t *testing.T) {
	s := newShop(t, func(_ *Options, _ *ReadPolicy[*book], w *WritePolicy) { w.Level = LevelBounded })
	err := s.update.Do(context.Background(), Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run: func(ctx context.Context) error {
			if _, ok := ctx.Deadline(); ok {
				t.Error("there is a deadline")
			}
			return nil
		},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// 1. the tags of the arguments are marked; reading the old row takes more than half the lease
// 2. they have to be marked again before the commit, and the wait begins only then
func TestMarksAreRenewedBeforeTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := leasedShop(t, 0)
		err := s.update.Do(context.Background(), Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Old: func(_ context.Context, t *Tags) error {
				<-time.After(6 * time.Second)
				t.Tag("books/author").Int(7)
				return nil
			},
			Run: func(ctx context.Context) error {
				if d := time.Since(l.last()); d != 101*time.Millisecond {
					t.Errorf("committed %v after the marks were renewed", d)
				}
				if end, _ := ctx.Deadline(); end != l.last().Add(7500*time.Millisecond) {
					t.Errorf("the deadline is %v after the marks were renewed", end.Sub(l.last()))
				}
				return nil
			},
		})
		both := []string{"test:{books/book:1}", "test:{books/author:7}"}
		if err != nil || len(l.marks) != 3 || !slices.Equal(l.marks[2], both) {
			t.Errorf("%v; marked %v, want all at last", err, l.marks)
		}
	})
}

// The same in a unit of work, whose early marks stand since its first write.
func TestUnitRenewsAllMarksBeforeTheCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := leasedShop(t, 0)
		ctx, unit := s.cache.Begin(context.Background())
		change := Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Old:  func(_ context.Context, t *Tags) error { t.Tag("books/author").Int(7); return nil },
			Run:  func(context.Context) error { return nil },
		}
		if err := s.update.Do(ctx, change); err != nil {
			t.Fatal(err)
		}
		func() { // a panic that is recovered from, after the mark and before the write
			defer func() { _ = recover() }()
			change.Tags = func(t *Tags) { t.Tag("books/book").Int(2) }
			change.Old = func(context.Context, *Tags) error { panic("driver") }
			_ = s.update.Do(ctx, change)
		}()
		<-time.After(6 * time.Second)
		if err := unit.Mark(); err != nil {
			t.Fatal(err)
		}
		want := []string{"test:{books/author:7}", "test:{books/book:1}", "test:{books/book:2}"}
		if got := slices.Sorted(slices.Values(l.marks[len(l.marks)-1])); !slices.Equal(got, want) {
			t.Errorf("marked %v right before COMMIT, want %v", got, want)
		}
		if d := time.Since(l.last()); d != 101*time.Millisecond {
			t.Errorf("may commit %v after that", d)
		}
		<-time.After(9 * time.Second) // COMMIT takes its time, within the new lease
		if err := unit.Post(nil); err != nil || s.cache.Stats().Voids.MarkersLost != 0 {
			t.Errorf("%v, %+v", err, s.cache.Stats().Voids)
		}
	})
}

// 1. the tags of the arguments are marked; reading the old row takes nearly the whole lease
// 2. the store is lost, so the marks are not renewed, and the write goes on without
// 3. the deadline that the old marks set is over: the write must not be run with it
func TestAnUntoldWriteHasNoDeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorProceed)
		err := s.update.Do(context.Background(), Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Old: func(context.Context, *Tags) error {
				<-time.After(8 * time.Second)
				f.set("mark")
				return nil
			},
			Run: func(ctx context.Context) error { return ctx.Err() },
		})
		if v := s.cache.Stats().Voids; err != nil || v != (Voids{Untold: 1}) {
			t.Errorf("%v, %+v, want a write that was run", err, v)
		}
		_ = s.cache.Close()
	})
}

// A write past the stores of a unit of work commits by itself, and has the deadline of one:
//
//  1. it marks; the source hangs, and returns an error of its own making when its context ends
//  2. the database commits all the same, a little later: readers must not have stored the old row
func TestAWritePastTheUnitEndsInsideItsLease(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTxShop(t, nil)
		ctx, unit := s.begin()
		unit.handOut()
		start, change := time.Now(), s.change(1)
		change.Run = func(ctx context.Context) error {
			select {
			case <-ctx.Done():
			case <-time.After(time.Minute):
			}
			return errDriver
		}
		if err := s.update.Do(ctx, change); err != errDriver || time.Since(start) != 7500*time.Millisecond {
			t.Errorf("%v after %v, want the source's own error after three quarters of the lease", err, time.Since(start))
		}
		unit.Discard()
		s.want(context.Background(), 1, 1)
		synctest.Wait()
		s.rows[1] = book{ID: 1, Version: 2}
		s.want(context.Background(), 2, 1)
		if v := s.cache.Stats().Voids; v != (Voids{Unknown: 1, Overdue: 1}) {
			t.Errorf("%+v, want one unknown and one overdue", v)
		}
		_ = s.cache.Close()
	})
}
