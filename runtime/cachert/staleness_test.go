package cachert

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// lagging is a store whose promises may outlive what ends them. It notes when it was told what.
type lagging struct {
	store.Store
	within []time.Duration // asked for

	mu    sync.Mutex
	marks [][]string  // cells of each Mark
	at    []time.Time // of each Mark
}

func (l *lagging) Prove(within time.Duration) (lags bool) {
	l.within = append(l.within, within)
	return true
}

func (l *lagging) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	l.mu.Lock()
	l.marks, l.at = append(l.marks, slices.Clone(r.Cells)), append(l.at, time.Now())
	l.mu.Unlock()
	return l.Store.Mark(ctx, r)
}

// last is when the last Mark was asked for.
func (l *lagging) last() time.Time { return l.at[len(l.at)-1] }

// leasedShop is a shop at level leased over a store that lags.
func leasedShop(t *testing.T, staleness time.Duration) (*shop, *lagging) {
	l := &lagging{}
	s := newShop(t, func(o *Options, r *ReadPolicy[*book], w *WritePolicy) {
		l.Store = o.Store
		o.Store = l
		r.Level, r.Staleness, w.Level = LevelLeased, staleness, LevelLeased
	})
	return s, l
}

// provenShop is a shop whose store holds back its pushes and proves its promises when the test
// says so.
func provenShop(t *testing.T, level Level) (*shop, *store.Proof) {
	proof := new(store.Proof)
	s := newShop(t, func(o *Options, r *ReadPolicy[*book], w *WritePolicy) {
		o.Store = &late{Store: o.Store, promises: map[*store.Live]*store.Live{}, proof: proof}
		r.Level, w.Level = level, level
	})
	return s, proof
}

func TestNearHitIsNoOlderThanItsBound(t *testing.T) {
	for level, bound := range map[Level]time.Duration{
		LevelBounded: time.Second, LevelDefault: time.Second, LevelSession: time.Second, LevelLeased: 100 * time.Millisecond,
	} {
		synctest.Test(t, func(t *testing.T) {
			s, proof := provenShop(t, level)
			ctx := context.Background()
			s.mustGet(ctx, 1)
			s.drain()
			if s.mustGet(ctx, 1); s.stat("ByID").NearHits != 0 {
				t.Errorf("%v: a near hit although nothing was ever proved", level)
			}
			proof.Renew(time.Now())
			<-time.After(bound)
			if s.mustGet(ctx, 1); s.stat("ByID").NearHits != 1 {
				t.Errorf("%v: %d near hits within the bound, want 1", level, s.stat("ByID").NearHits)
			}
			<-time.After(1)
			s.mustGet(ctx, 1)
			if n := s.stat("ByID"); n.NearHits != 1 || n.NearLapsed != 2 || n.StoreHits != 2 {
				t.Errorf("%v: beyond the bound: %+v, want a hit of the store", level, n)
			}
			proof.Renew(time.Now())
			proof.Renew(time.Now().Add(-time.Hour)) // a reply that comes late takes nothing back
			if s.mustGet(ctx, 1); s.stat("ByID").NearHits != 2 {
				t.Errorf("%v: proved again, and not answered near", level)
			}
		})
	}
}

func TestEventualNeedsNoProof(t *testing.T) {
	s, _ := provenShop(t, LevelEventual)
	s.mustGet(context.Background(), 1)
	if s.mustGet(context.Background(), 1); s.stat("ByID").NearHits != 1 {
		t.Error("not answered near")
	}
}

// 1. the reader's process keeps version 1 near; its connection is proved for the last time
// 2. a writer in another process marks; the push does not arrive
// 3. within the bound the reader is answered near, which is right: nothing is committed
// 4. the bound is over; the writer commits version 2 and returns
// 5. the reader must not be answered near
func TestLeasedReadIsNotOlderThanTheWriteElsewhere(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		reader, proof := provenShop(t, LevelLeased)
		ctx, inner := context.Background(), reader.cache.store.(*late).Store
		writer := newShop(t, func(o *Options, r *ReadPolicy[*book], w *WritePolicy) {
			o.Store = &lagging{Store: inner}
			r.Level, w.Level = LevelLeased, LevelLeased
		})
		reader.mustGet(ctx, 1)
		reader.drain()
		reader.mustGet(ctx, 1)
		proof.Renew(time.Now())
		go func() {
			<-time.After(99 * time.Millisecond)
			if reader.mustGet(ctx, 1); reader.stat("ByID").NearHits != 1 {
				t.Error("not answered near within the bound: nothing is tested")
			}
		}()
		if _, err := writer.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		reader.mu.Lock()
		reader.rows[1] = writer.rows[1]
		reader.mu.Unlock()
		if v := reader.mustGet(ctx, 1).Version; v != 2 {
			t.Errorf("read version %d after 2 had been acknowledged", v)
		}
	})
}

func TestLeasedWriteWaitsForTheLongestBound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := leasedShop(t, 300*time.Millisecond) // its writes ask for 100 ms
		wait := 303 * time.Millisecond
		for _, ctx := range []context.Context{context.Background(), Fresh(context.Background())} {
			_, err := s.bump(ctx, 1, func() error {
				if d := time.Since(l.last()); d != wait {
					t.Errorf("committed %v after the mark, want %v", d, wait)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		ctx, unit := s.cache.Begin(context.Background())
		if _, err := s.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := unit.Mark(); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(l.last()); d != wait {
			t.Errorf("a unit may commit %v after its mark, want %v", d, wait)
		}
		if err := unit.Post(nil); err != nil {
			t.Fatal(err)
		}
		if least := slices.Min(l.within[:2]); least != 100*time.Millisecond {
			t.Errorf("the store was asked for %v", l.within)
		}
	})
}

// What goes past the stores that were handed out may be committed before the unit is.
func TestLeasedWritePastItsUnitWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := leasedShop(t, 0)
		ctx, unit := s.cache.Begin(context.Background())
		unit.handOut()
		_, err := s.bump(ctx, 1, func() error {
			if d := time.Since(l.last()); d != 101*time.Millisecond {
				t.Errorf("ran %v after its mark", d)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		unit.Discard()
	})
}

func TestLeasedWriteDoesNotWaitWherePromisesDoNotLag(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, func(_ *Options, r *ReadPolicy[*book], w *WritePolicy) { r.Level, w.Level = LevelLeased, LevelLeased })
		start := time.Now()
		if _, err := s.bump(context.Background(), 1, nil); err != nil || time.Since(start) != 0 {
			t.Errorf("%v, took %v", err, time.Since(start))
		}
	})
}

// The commit of a transaction that nobody sees comes after the call at the earliest: even the
// tags known from the result are marked, and waited for.
func TestLeasedWriteWhoseCommitIsNotSeenWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, l := leasedShop(t, 0)
		err := s.update.Do(context.Background(), Change{
			Uncommitted: true,
			Tags:        func(t *Tags) { t.Tag("books/book").Int(1) },
			After:       func(t *Tags) { t.Tag("books/author").Int(7) },
			Run: func(context.Context) error {
				if d := time.Since(l.last()); d != 101*time.Millisecond {
					t.Errorf("ran %v after the mark", d)
				}
				return nil
			},
		})
		if d := time.Since(l.last()); err != nil || d != 101*time.Millisecond || len(l.marks) != 2 {
			t.Errorf("%v; returned %v after the mark of %v", err, d, l.marks)
		}
	})
}

func TestLeasedWriteThatIsNotGivenTheTimeDoesNotHappen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, _ := leasedShop(t, 0)
		ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
		defer cancel()
		_, err := s.bump(ctx, 1, func() error { t.Error("the source was called"); return nil })
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v, want the context's error", err)
		}
		unitCtx, unit := s.cache.Begin(ctx)
		if _, err := s.bump(unitCtx, 1, nil); err != nil {
			t.Fatal(err)
		}
		if err := unit.Mark(); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("Mark: %v, want the context's error", err)
		}
		unit.Discard()
		s.mustGet(context.Background(), 1)
		s.drain()
		if s.mustGet(context.Background(), 1); s.stat("ByID").Hits() != 1 {
			t.Error("a marker stands of a write that did not happen")
		}
	})
}

func TestLeasedWriteIsRefusedWhenTheStoreIsDown(t *testing.T) {
	f := &flaky{Store: memstore.New(memstore.Options{})}
	s := newShop(t, func(o *Options, r *ReadPolicy[*book], w *WritePolicy) { o.Store, w.Level = f, LevelLeased })
	f.set("mark")
	if _, err := s.bump(context.Background(), 1, func() error { t.Error("the source was called"); return nil }); !errors.Is(err, ErrRefused) {
		t.Errorf("%v, want ErrRefused", err)
	}
	if v := s.cache.Stats().Voids; v != (Voids{}) {
		t.Errorf("%+v, want none: it did not happen", v)
	}
}

func TestBoundsThatMeanNothingPanic(t *testing.T) {
	for want, register := range map[string]func(*Repo){
		"near hits of levels": func(r *Repo) {
			NewReader(r, ReadPolicy[*book]{Method: "A", Key: "A", TTL: 1, Level: LevelStrict, Staleness: 1, Codec: bookCodec})
		},
		"at level eventual": func(r *Repo) { NewWriter(r, WritePolicy{Method: "B", Level: LevelEventual, Staleness: 1}) },
		"of which a quarter": func(r *Repo) {
			NewReader(r, ReadPolicy[*book]{Method: "C", Key: "C", TTL: 1, Level: LevelLeased, Staleness: 3 * time.Second, Codec: bookCodec})
		},
	} {
		func() {
			defer func() {
				if got, _ := recover().(string); !strings.Contains(got, want) {
					t.Errorf("panic %q, want %q", got, want)
				}
			}()
			register(newShop(t, nil).cache.Repo(RepoPolicy{Name: "more"}))
		}()
	}
}

func BenchmarkNearHitProved(b *testing.B) {
	reader, _ := benchShop(b)
	proof := new(store.Proof)
	reader.repo.cache.store = &late{Store: reader.repo.cache.store, promises: map[*store.Live]*store.Live{}, proof: proof}
	reader.bound = time.Hour
	proof.Renew(time.Now())
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reader.Get(ctx, benchCall(1), benchLoad(1)); err != nil {
			b.Fatal(err)
		}
	}
	if reader.stats.nearHits.Load() == 0 {
		b.Error("not answered near")
	}
}
