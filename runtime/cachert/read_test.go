package cachert

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

func TestHitsComeNearFirst(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	for range 3 {
		if b := s.mustGet(ctx, 1); b.Version != 1 {
			t.Fatalf("version %d", b.Version)
		}
	}
	if b := s.mustGet(Fresh(ctx), 1); b.Version != 1 { // may fill first
		t.Fatalf("version %d", b.Version)
	}
	m := s.stat("ByID")
	if s.loads != 1 && s.loads != 2 || m.NearHits != 2 {
		t.Errorf("loads %d, near hits %d; want one load (two if the fill came late) and 2 near hits", s.loads, m.NearHits)
	}
	s.drain()
	s.mustGet(Fresh(ctx), 1)
	if m := s.stat("ByID"); m.StoreHits == 0 {
		t.Errorf("a strict read must be a store hit: %+v", m)
	}
}

func TestCallerOwnsWhatItGets(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	for _, c := range []context.Context{ctx, ctx, Fresh(ctx)} { // miss, near hit, store hit
		b := s.mustGet(c, 1)
		b.Tags[0], b.Version = "mutated", 99
		s.drain()
	}
	if b := s.mustGet(ctx, 1); b.Tags[0] != "a" || b.Version != 1 {
		t.Errorf("another caller's mutation is visible: %+v", b)
	}
}

// 1 reader snapshots and loads version 1; 2 writer commits version 2 and posts; 3 reader
// stores version 1.
func TestLoadOvertakenByWriteIsNotFound(t *testing.T) {
	for _, level := range []Level{LevelEventual, LevelBounded, LevelSession, LevelStrict} {
		t.Run(level.String(), func(t *testing.T) {
			s := newShop(t, func(_ *Options, r *ReadPolicy[*book], w *WritePolicy) { r.Level, w.Level = level, level })
			ctx := context.Background()
			s.hook = func() {
				s.mu.Lock()
				s.hook = nil
				s.mu.Unlock()
				if _, err := s.bump(ctx, 1, nil); err != nil {
					t.Error(err)
				}
			}
			if b := s.mustGet(ctx, 1); b.Version != 1 {
				t.Fatalf("the overtaken load returns what it read, got version %d", b.Version)
			}
			s.drain()
			if b := s.mustGet(ctx, 1); b.Version != 2 {
				t.Errorf("version %d after the write was acknowledged, want 2", b.Version)
			}
		})
	}
}

func TestReadDuringWriteGoesToTheSourceAndFillsNothing(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	s.mustGet(ctx, 1)
	_, err := s.bump(ctx, 1, func() error {
		before := s.loads
		s.mustGet(ctx, 1)
		s.mustGet(ctx, 1)
		if s.loads != before+2 {
			t.Errorf("%d loads while a marker stood, want 2", s.loads-before)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestJoinOnlyOnTheSameSnapshot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		ctx := context.Background()
		gate := make(chan struct{})
		s.hook = func() { <-gate }
		versions := make(chan int64, 3)
		read := func() { versions <- s.mustGet(ctx, 1).Version }
		go read()
		go read()
		synctest.Wait() // both wait for one load of version 1
		if s.loads != 1 {
			t.Fatalf("%d loads for one snapshot, want 1", s.loads)
		}
		s.mu.Lock()
		s.hook = nil
		s.mu.Unlock()
		if _, err := s.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		if v := s.mustGet(ctx, 1).Version; v != 2 {
			t.Errorf("a read after the write got version %d: it joined the older load", v)
		}
		close(gate)
		if a, b := <-versions, <-versions; a != 1 || b != 1 {
			t.Errorf("the first two reads got %d and %d, want what their load saw", a, b)
		}
		if m := s.stat("ByID"); m.Joined != 1 {
			t.Errorf("joined %d, want 1", m.Joined)
		}
	})
}

// The row tags that were predicted belong to the snapshot like all others:
//
//  1. reader A predicts book 1, snapshots it, and loads the list with its version 2
//  2. a write changes book 1 and names no list; it is acknowledged
//  3. reader B sees A's generations in all cells that the arguments name
func TestJoinOnlyOnTheSameRowTags(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := newShop(t, nil), context.Background()
		gate := make(chan struct{})
		if _, err := s.byAuthor(ctx, 7); err != nil { // from here on the rows are predicted
			t.Fatal(err)
		}
		if _, err := s.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		s.hook = func() { <-gate }
		joinsNothing(t, s, gate, 2)
	})
}

// A load that is run again, because its prediction missed, has widened its snapshot:
//
//  1. reader A loads the list, snapshots book 1 and loads once more: version 1
//  2. a write changes book 1 and names no list; it is acknowledged
//  3. reader B has seen no row, so its key is that of A's flight
func TestNobodyJoinsALoadThatIsRunAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		gate, calls := make(chan struct{}), 0
		s.hook = func() {
			if calls++; calls == 2 {
				<-gate
			}
		}
		joinsNothing(t, s, gate, 1)
	})
}

// joinsNothing starts a read of a list that stops at the gate with book 1 at version old,
// changes the book, and reads the list again.
func joinsNothing(t *testing.T, s *shop, gate chan struct{}, old int64) {
	t.Helper()
	ctx, first := context.Background(), make(chan int64, 1)
	go func() {
		l, err := s.byAuthor(ctx, 7)
		if err != nil {
			t.Error(err)
		}
		first <- l[0].Version
	}()
	synctest.Wait()
	s.mu.Lock()
	s.hook = nil
	s.mu.Unlock()
	if _, err := s.bump(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	second := make(chan int64, 1)
	go func() {
		l, err := s.byAuthor(ctx, 7)
		if err != nil {
			t.Error(err)
		}
		second <- l[0].Version
	}()
	synctest.Wait()
	close(gate)
	if v := <-second; v != old+1 {
		t.Errorf("a read after the write got version %d: it joined the older load", v)
	}
	if v := <-first; v != old {
		t.Errorf("the first read got version %d, want what its load saw: %d", v, old)
	}
}

func TestLeaderCancelledJoinerIsNot(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		gate := make(chan struct{})
		s.hook = func() { <-gate }
		leader, cancel := context.WithCancel(context.Background())
		errs := make(chan error, 2)
		go func() { _, err := s.get(leader, 1); errs <- err }()
		synctest.Wait()
		go func() { _, err := s.get(context.Background(), 1); errs <- err }()
		synctest.Wait()
		cancel()
		if err := <-errs; !errors.Is(err, context.Canceled) {
			t.Errorf("leader: %v, want its own cancellation", err)
		}
		close(gate)
		if err := <-errs; err != nil {
			t.Errorf("joiner: %v, want no error", err)
		}
	})
}

func TestLoadIsCancelledWhenNobodyWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			_, _ = s.byID.Get(ctx, s.call(1), func(ctx context.Context) (*book, error) {
				<-ctx.Done()
				ended <- ctx.Err()
				return nil, ctx.Err()
			})
		}()
		synctest.Wait()
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestPanicAndGoexitReachEveryWaiter(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("boom") }, "goexit": runtime.Goexit} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, nil)
				gate := make(chan struct{})
				var wg sync.WaitGroup
				panics := make(chan any, 2)
				for range 2 {
					wg.Go(func() {
						defer func() { panics <- recover() }()
						_, _ = s.byID.Get(context.Background(), s.call(1), func(context.Context) (*book, error) {
							<-gate
							end()
							return nil, nil
						})
					})
				}
				synctest.Wait()
				close(gate)
				wg.Wait()
				if a, b := <-panics, <-panics; a == nil || b == nil {
					t.Errorf("recovered %v and %v, want the load's end in both", a, b)
				}
				if b := s.mustGet(context.Background(), 1); b.Version != 1 {
					t.Error("the key must be usable afterwards")
				}
			})
		})
	}
}

func TestNegativeForms(t *testing.T) {
	both := errors.New("both")
	cases := map[string]struct {
		v     *book
		err   error
		loads int
	}{
		"sentinel":               {nil, errNotFound, 1},
		"sentinel with a value":  {&book{ID: 5}, errNotFound, 1},
		"nil and no error":       {nil, nil, 1},
		"wrapped sentinel":       {nil, fmt.Errorf("id 5: %w", errNotFound), 2},
		"another error":          {nil, both, 2},
		"another error, a value": {&book{ID: 5}, both, 2},
	}
	for name, tc := range cases {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, nil)
			loads := 0
			for i := range 2 {
				v, err := s.byID.Get(context.Background(), s.call(5), func(context.Context) (*book, error) {
					loads++
					return bookCodec.Clone(tc.v), tc.err
				})
				if err != tc.err || (v == nil) != (tc.v == nil) || v != nil && v.ID != tc.v.ID {
					t.Errorf("read %d: %v, %v; want exactly what the source returned: %v, %v", i, v, err, tc.v, tc.err)
				}
			}
			if loads != tc.loads {
				t.Errorf("%d loads, want %d", loads, tc.loads)
			}
			if m := s.stat("ByID"); tc.loads == 1 && m.NegativeHits != 1 {
				t.Errorf("negative hits %d, want 1", m.NegativeHits)
			}
		})
	}
}

func TestAbsentIsNotStoredWithoutNegative(t *testing.T) {
	s := newShop(t, func(_ *Options, r *ReadPolicy[*book], _ *WritePolicy) { r.Negative = 0 })
	for range 2 {
		if _, err := s.get(context.Background(), 5); err != errNotFound {
			t.Fatal(err)
		}
	}
	if s.loads != 2 {
		t.Errorf("%d loads, want 2", s.loads)
	}
}

func TestEntriesExpire(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		s.mustGet(context.Background(), 1)
		synctest.Wait()
		<-time.After(31 * time.Second) // in the bubble's clock: beyond NearTTL, within TTL
		s.mustGet(context.Background(), 1)
		if m := s.stat("ByID"); m.StoreHits != 1 {
			t.Errorf("%+v, want a store hit after NearTTL", m)
		}
		<-time.After(30 * time.Second)
		s.mustGet(context.Background(), 1)
		if s.loads != 2 {
			t.Errorf("%d loads, want 2: the TTL is over", s.loads)
		}
	})
}

func TestRowTags(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	s.rows[2] = book{ID: 2, Author: 7, Version: 1}
	list := func() map[int64]int64 {
		t.Helper()
		l, err := s.byAuthor(ctx, 7)
		if err != nil {
			t.Fatal(err)
		}
		got := map[int64]int64{}
		for _, b := range l {
			got[b.ID] = b.Version
		}
		return got
	}
	list()
	if s.loads != 2 {
		t.Errorf("first read: %d loads, want 2 (the rows' tags are known only after the first)", s.loads)
	}
	list()
	if s.loads != 2 {
		t.Errorf("second read: %d loads, want a hit", s.loads)
	}
	if _, err := s.bump(ctx, 2, nil); err != nil { // changes a row, names no list
		t.Fatal(err)
	}
	if got := list(); got[2] != 2 {
		t.Errorf("list shows version %d of book 2, want 2", got[2])
	}
	if s.loads != 3 {
		t.Errorf("%d loads, want 3: the tags were predicted", s.loads)
	}
	list()
	if s.loads != 3 {
		t.Errorf("%d loads, want a hit", s.loads)
	}
}

func TestRowTagsSnapshotBeforeTheLoad(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	calls := 0
	s.hook = func() {
		if calls++; calls == 2 { // the reload: its rows are snapshotted, then book 1 changes
			if _, err := s.bump(ctx, 1, nil); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := s.byAuthor(ctx, 7); err != nil {
		t.Fatal(err)
	}
	s.drain()
	l, err := s.byAuthor(ctx, 7)
	if err != nil || l[0].Version != 2 {
		t.Errorf("%+v, %v; want version 2", l, err)
	}
}

func TestBypass(t *testing.T) {
	s := newShop(t, nil)
	ctx := Bypass(context.Background())
	s.mustGet(ctx, 1)
	s.mustGet(ctx, 1)
	if m := s.stat("ByID"); s.loads != 2 || m.Bypasses != 2 || m.Loads != 0 {
		t.Errorf("source calls %d, stats %+v", s.loads, m)
	}
}

func TestDamagedEntryIsAMiss(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	s.mustGet(ctx, 1)
	s.drain()
	damage(t, s)
	if b := s.mustGet(Fresh(ctx), 1); b.Version != 1 {
		t.Fatalf("%+v", b)
	}
	if m := s.stat("ByID"); m.Foreign != 1 || m.Loads != 2 {
		t.Errorf("%+v, want one foreign entry and a load", m)
	}
}
