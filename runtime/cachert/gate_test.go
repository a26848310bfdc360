package cachert

import (
	"context"
	"log/slog"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// What a closed cache owes its store is never delivered, and Drain says so.
func TestDrainOfAClosedCacheSaysWhatIsOwed(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	if err := s.cache.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.cache.Drain(ctx); err != nil {
		t.Errorf("Drain with nothing owed: %v", err)
	}
	if _, err := s.bump(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.cache.Drain(ctx); err == nil {
		t.Error("Drain after a write that could not be told: no error")
	}
}

// asking is a log handler that asks for the Stats of the cache that logs.
type asking struct {
	slog.Handler
	cache *Cache
	asked chan string
}

func (a *asking) Enabled(context.Context, slog.Level) bool { return true }

func (a *asking) Handle(_ context.Context, r slog.Record) error {
	_ = a.cache.Stats()
	a.asked <- r.Message
	return nil
}

func TestALogHandlerMayAskForStats(t *testing.T) {
	handler := &asking{Handler: slog.DiscardHandler, asked: make(chan string, 10)}
	s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Logger = slog.New(handler) })
	handler.cache = s.cache
	s.cache.gate.close(context.DeadlineExceeded)
	for _, want := range []string{"cachegen: store lost, reading from the source", "cachegen: store trusted again"} {
		if got := <-handler.asked; got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
}

func flakyShop(t *testing.T, onError OnError) (*shop, *flaky) {
	f := &flaky{Store: memstore.New(memstore.Options{})}
	s := newShop(t, func(o *Options, _ *ReadPolicy[*book], w *WritePolicy) {
		o.Store = f
		w.OnError = onError
	})
	return s, f
}

func TestStoreDownReadsTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorProceed)
		ctx := context.Background()
		s.mustGet(ctx, 1)
		f.set("read", "probe", "mark", "post")
		f.lost(store.ErrDown)
		loads := s.loads
		s.mustGet(ctx, 1)
		s.mustGet(ctx, 1)
		if s.loads != loads+2 {
			t.Errorf("%d loads, want 2: the near cache is not served without its store", s.loads-loads)
		}
		f.set()
		s.drain()
		s.mustGet(ctx, 1)
		s.mustGet(ctx, 1)
		if st := s.cache.Stats(); !st.Open || st.Outages != 1 {
			t.Errorf("%+v", st)
		}
	})
}

// 1 a write commits, its post cannot be delivered; 2 the store answers again; 3 no read may
// find the old entry valid before the invalidation has been delivered.
func TestJournalIsDeliveredBeforeTheStoreIsTrusted(t *testing.T) {
	for _, ops := range [][]string{{"post", "probe"}, {"mark", "post", "probe"}} {
		synctest.Test(t, func(t *testing.T) {
			s, f := flakyShop(t, OnErrorProceed)
			ctx := context.Background()
			s.mustGet(ctx, 1)
			s.drain()
			f.set(ops...)
			if _, err := s.bump(ctx, 1, nil); err != nil {
				t.Fatalf("%v: a committed write is not a failed one", err)
			}
			if b := s.mustGet(ctx, 1); b.Version != 2 {
				t.Errorf("version %d while the journal waits", b.Version)
			}
			f.set("post") // reachable, but the invalidation does not get through
			<-time.After(5 * time.Second)
			if b := s.mustGet(ctx, 1); b.Version != 2 || s.cache.Stats().Open {
				t.Errorf("version %d, open %v: trusted before delivery", b.Version, s.cache.Stats().Open)
			}
			f.set()
			s.drain()
			if b := s.mustGet(ctx, 1); b.Version != 2 {
				t.Errorf("version %d after delivery", b.Version)
			}
		})
	}
}

// 1 the server is replaced; 2 a probe notices, but the namespace cannot be renewed; 3 the
// next probe sees the server it knows: the renewal is still owed before the gate may open.
func TestRenewalAfterAServerChangeIsNotForgotten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorProceed)
		ctx := context.Background()
		s.mustGet(ctx, 1)
		s.drain()
		f.set("post")
		f.changeServer()
		f.lost(store.ErrDown)
		<-time.After(5 * time.Second)
		if s.cache.Stats().Open {
			t.Error("trusted although the renewal has not arrived")
		}
		f.set()
		s.drain()
		loads := s.loads
		s.mustGet(ctx, 1)
		if s.loads != loads+1 {
			t.Error("an entry of the old server was served by the new one")
		}
	})
}

// 1 the invalidation of book 1 is owed and delivered; 2 before the delivery has returned, a
// second process fills, and another write commits and owes the same cell again; 3 the gate
// opens: the second debt must have been paid too.
func TestDebtMadeDuringADeliveryIsPaid(t *testing.T) {
	for _, level := range []Level{LevelBounded, LevelSession} {
		synctest.Test(t, func(t *testing.T) {
			f := &flaky{Store: memstore.New(memstore.Options{})}
			s := newShop(t, func(o *Options, _ *ReadPolicy[*book], w *WritePolicy) {
				o.Store = f
				w.Level = level
			})
			other := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Store = f.Store })
			ctx := context.Background()
			f.set("mark", "post", "probe")
			if _, err := s.bump(ctx, 1, nil); err != nil {
				t.Fatal(err)
			}
			f.mu.Lock()
			f.posted = func() {
				other.rows = map[int64]book{1: s.rows[1]}
				if b := other.mustGet(ctx, 1); b.Version != 2 {
					t.Errorf("the other process filled version %d", b.Version)
				}
				other.drain()
				if _, err := s.bump(ctx, 1, nil); err != nil {
					t.Error(err)
				}
			}
			f.mu.Unlock()
			f.set()
			s.drain()
			if b := s.mustGet(ctx, 1); b.Version != 3 {
				t.Errorf("level %v: version %d, want 3: the second debt was forgotten", level, b.Version)
			}
		})
	}
}

// A store that answers, slowly, after an outage with many writes: what one delivery could not
// finish must not have been for nothing, or the gate stays closed for ever.
func TestManyDebtsAreDeliveredThoughTheStoreIsSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorProceed)
		ctx := context.Background()
		f.set("post", "probe")
		for id := range int64(500) {
			if _, err := s.bump(ctx, id, nil); err != nil {
				t.Fatal(err)
			}
		}
		f.mu.Lock()
		f.delay = 200 * time.Millisecond // five one after another within the deadline
		f.mu.Unlock()
		f.set()
		s.drain()
		if st := s.cache.Stats(); !st.Open || st.Journal != 0 {
			t.Errorf("open %v, %d not delivered", st.Open, st.Journal)
		}
	})
}

func TestFullJournalOwesTheNamespaceNowAndLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorProceed)
		ctx := context.Background()
		f.set("post", "probe")
		s.cache.gate.owe("", []string{"test:{books/book:1}"}, s.cache.now().Add(time.Minute), nil)
		cells := make([]string, maxJournal)
		for i := range cells {
			cells[i] = "test:{books/other:" + strconv.Itoa(i) + "}"
		}
		s.cache.gate.owe("", cells, s.cache.now(), store.ErrDown)
		if n := s.cache.Stats().Journal; n > maxJournal {
			t.Errorf("%d debts, more than the bound", n)
		}
		renewals := func() store.Generation {
			r, err := f.Store.Read(ctx, store.ReadRequest{Cells: []string{"test:{*}"}, Fresh: s.cache.fresh, CellTTL: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			return r.Cells[0].Generation
		}
		before := renewals()
		f.set()
		<-time.After(10 * time.Second)
		now := renewals()
		if now == before {
			t.Error("the namespace was not renewed")
		}
		<-time.After(time.Minute)
		if renewals() == now {
			t.Error("the debt that was due later is forgotten")
		}
	})
}

// 1 the keeper has delivered what was due; 2 Close; 3 the keeper looks whether it may open.
func TestAClosedCacheIsNotOpenedAgain(t *testing.T) {
	s := newShop(t, nil)
	if err := s.cache.Close(); err != nil {
		t.Fatal(err)
	}
	s.cache.gate.keeping, s.cache.gate.idle = true, make(chan struct{})
	if s.cache.gate.settle(); s.cache.Stats().Open {
		t.Error("the store of a closed cache is trusted")
	}
}

// atTrust is a log handler that does something when the store is trusted again, once.
type atTrust struct {
	slog.Handler
	do func()
}

func (a *atTrust) Enabled(context.Context, slog.Level) bool { return true }

func (a *atTrust) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "cachegen: store trusted again" && a.do != nil {
		do := a.do
		a.do = nil
		do()
	}
	return nil
}

// 1. the keeper opens the gate, and is to sleep until something distant is due
// 2. before it sleeps the store is lost again
// 3. the store is back: nobody but the keeper finds out
func TestTheKeeperDoesNotSleepThroughALossOfTheStore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		handler := &atTrust{Handler: slog.DiscardHandler}
		s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Logger = slog.New(handler) })
		gate := s.cache.gate
		handler.do = func() { gate.close(store.ErrDown) }
		gate.owe("", []string{"test:{books/book:1}"}, s.cache.now().Add(time.Hour), nil)
		synctest.Wait()
		gate.close(store.ErrDown)
		<-time.After(10 * time.Second)
		if st := s.cache.Stats(); !st.Open || st.Outages != 2 {
			t.Errorf("open %v after %d outages, want open after two", st.Open, st.Outages)
		}
		_ = s.cache.Close()
	})
}

// What a session owes is renewed under a token that has marked nothing.
func TestDebtsOfSessionsLoseNoMarkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{Store: memstore.New(memstore.Options{})}
		s := newShop(t, func(o *Options, _ *ReadPolicy[*book], w *WritePolicy) { o.Store, w.Level = f, LevelBounded })
		ctx, _ := in(s, "")
		f.set("post", "probe")
		if _, err := s.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		f.set()
		s.drain()
		if n := s.cache.Stats().MarkersLost; n != 0 {
			t.Errorf("%d markers lost by a write without any", n)
		}
		_ = s.cache.Close()
	})
}
