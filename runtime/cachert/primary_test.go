package cachert

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
)

const replicaLag = 10 * time.Second

// replicated is a shop whose database has a replica that lags behind.
type replicated struct {
	*shop
	was     []book // every version of book 1, and since when
	since   []time.Time
	careful bool // picks where to read by NeedsPrimary
	asks    bool // and if it does not, asks at least
}

func newReplicated(t *testing.T, change func(*Options, *ReadPolicy[*book])) *replicated {
	r := &replicated{careful: true}
	r.shop = newShop(t, func(o *Options, p *ReadPolicy[*book], _ *WritePolicy) {
		o.ReplicaLag = replicaLag
		if change != nil {
			change(o, p)
		}
	})
	r.commit()
	return r
}

func (r *replicated) commit() book {
	r.mu.Lock()
	defer r.mu.Unlock()
	b := r.rows[1]
	b.Version++
	r.rows[1] = b
	r.was, r.since = append(r.was, b), append(r.since, time.Now())
	return b
}

// row is what the replica or the primary shows now.
func (r *replicated) row(primary bool) book {
	r.mu.Lock()
	defer r.mu.Unlock()
	at := len(r.was) - 1
	for ; !primary && at > 0 && time.Since(r.since[at]) < replicaLag; at-- {
	}
	return r.was[at]
}

func (r *replicated) get(ctx context.Context) *book {
	r.t.Helper()
	b, err := r.byID.Get(ctx, r.call(1), func(ctx context.Context) (*book, error) {
		if r.hook != nil {
			r.hook()
		}
		var b book
		switch {
		case r.careful:
			b = r.row(NeedsPrimary(ctx))
		case r.asks:
			NeedsPrimary(ctx)
			b = r.row(false)
		default:
			b = r.row(false)
		}
		return &b, nil
	})
	if err != nil {
		r.t.Error(err)
		return &book{}
	}
	return b
}

func (r *replicated) write(ctx context.Context) (b book) {
	err := r.update.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run:  func(context.Context) error { b = r.commit(); return nil },
	})
	if err != nil {
		r.t.Error(err)
	}
	return b
}

// load-from-lagging-replica
//
//  1. a write commits version 2 and posts: generation 2
//  2. a reader finds generation 2 and no valid entry
//  3. the replica still holds version 1; stored under generation 2 it would stay
func TestLoadFromLaggingReplica(t *testing.T) {
	for name, tt := range map[string]struct {
		careful, asks bool
		stays         bool // what the replica held is still read when it has caught up
	}{
		"a source that picks":                  {careful: true},
		"a source that does not know":          {},
		"a source that asks, and does as ever": {asks: true, stays: true}, // the control
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newReplicated(t, nil)
				r.careful, r.asks = tt.careful, tt.asks
				ctx := context.Background()
				time.Sleep(2 * replicaLag)
				want := r.write(ctx).Version
				got := r.get(ctx).Version
				if (got != want) == tt.careful {
					t.Errorf("read version %d at once, want %d", got, want)
				}
				r.drain()
				time.Sleep(2 * replicaLag)
				if got := r.get(ctx).Version; (got != want) != tt.stays {
					t.Errorf("read version %d in the end, want %d: %v", got, want, !tt.stays)
				}
				if n := r.stat("ByID").Unasked; (n > 0) == (tt.careful || tt.asks) {
					t.Errorf("%d loads have not asked", n)
				}
			})
		})
	}
}

// Once the lag has passed since the last change, and no earlier, a replica will do.
func TestReplicaIsUsedWhenTheLagHasPassed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplicated(t, func(_ *Options, p *ReadPolicy[*book]) { p.TTL = time.Second })
		ctx := context.Background()
		r.write(ctx)
		changed := time.Now()
		for range 30 {
			before := r.stat("ByID")
			r.get(ctx)
			after := r.stat("ByID")
			if after.Loads == before.Loads {
				t.Fatal("no load: nothing is tested")
			}
			age := time.Since(changed)
			if used, want := after.ReplicaLoads > before.ReplicaLoads, age > replicaLag+r.cache.opt.ClockSkew+r.cache.opt.StoreTimeout; used != want {
				t.Errorf("%v after the change: from the replica %v, want %v", age, used, want)
			}
			time.Sleep(time.Second)
		}
	})
}

// Wherever it is not certain that a replica will do, the answer is yes.
func TestNeedsPrimary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplicated(t, func(_ *Options, p *ReadPolicy[*book]) { p.TTL = time.Second })
		ctx := context.Background()
		r.get(ctx)
		settle := func() { time.Sleep(2 * replicaLag) }
		load := func(ctx context.Context, also func(context.Context)) (needs bool) {
			_, err := r.byID.Get(ctx, r.call(1), func(ctx context.Context) (*book, error) {
				needs = NeedsPrimary(ctx)
				if also != nil {
					also(ctx)
				}
				return &book{}, nil
			})
			if err != nil {
				t.Error(err)
			}
			return needs
		}
		expect := func(what string, got, want bool) {
			t.Helper()
			if got != want {
				t.Errorf("%s: %v, want %v", what, got, want)
			}
		}
		expect("outside of a load", NeedsPrimary(ctx), true)
		settle()
		expect("nothing has changed for long", load(ctx, nil), false)
		settle()
		expect("a strict read", load(Fresh(ctx), nil), true)
		settle()
		expect("past the cache", load(Bypass(ctx), nil), true)
		unitCtx, unit := r.cache.Begin(ctx)
		expect("in a unit of work", load(unitCtx, nil), true)
		expect("in a unit of work, by itself", NeedsPrimary(unitCtx), true)
		unit.Discard()
		settle()
		load(ctx, func(ctx context.Context) {
			expect("a read in a load, past the cache", load(Bypass(ctx), nil), true)
			unitCtx, unit := r.cache.Begin(ctx)
			expect("a unit in a load", NeedsPrimary(unitCtx), true)
			unit.Discard()
			_ = r.update.Do(ctx, Change{Run: func(ctx context.Context) error {
				expect("a write in a load", NeedsPrimary(ctx), true)
				return nil
			}})
		})
		settle()
		_ = r.update.Do(ctx, Change{Tags: func(t *Tags) { t.Tag("books/book").Int(1) }, Run: func(context.Context) error {
			expect("a write is in progress", load(ctx, nil), true)
			return nil
		}})
		settle()
		expect("all quiet again", load(ctx, nil), false)
		r.st.Close()
		expect("the store is lost", load(ctx, nil), true)
	})
}

// A load that was sent to the replica must not answer a strict read that comes meanwhile.
func TestStrictReadsDoNotJoinALoadFromTheReplica(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newReplicated(t, nil)
		ctx := context.Background()
		r.get(ctx)
		time.Sleep(2 * time.Minute) // expired, and the cells are old
		proceed, loads := make(chan struct{}), 0
		r.hook = func() { loads++; <-proceed }
		for _, ctx := range []context.Context{ctx, Fresh(ctx), ctx} {
			go r.get(ctx)
			synctest.Wait()
		}
		close(proceed)
		synctest.Wait()
		if loads != 2 {
			t.Errorf("%d loads, want 2: one from the replica and one from the primary", loads)
		}
	})
}

// Two processes, whose clocks are as far apart as they may be, over a database whose replica
// lags as far as it may: no read at strict is older than what has completed before it, and
// nothing stale stays.
func TestReplicaRandomly(t *testing.T) {
	replica := uint64(0)
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			shared := memstore.New(memstore.Options{})
			rnd := rand.New(rand.NewPCG(seed, 1))
			process := func(apart time.Duration) *replicated {
				return newReplicated(t, func(o *Options, p *ReadPolicy[*book]) {
					o.Store, o.Logger = shared, slog.New(slog.DiscardHandler)
					o.clock = func() time.Time { return time.Now().Add(apart) }
					p.TTL = 3 * time.Second
				})
			}
			one, two := process(0), process(-time.Second)
			two.shop.rows = one.shop.rows
			both := []*replicated{one, two}
			var mu sync.Mutex
			floor := int64(0)
			var wg sync.WaitGroup
			for range 6 {
				rnd := rand.New(rand.NewPCG(seed, rnd.Uint64()))
				wg.Go(func() {
					for range 100 {
						p := both[rnd.IntN(2)]
						time.Sleep(time.Duration(rnd.Int64N(int64(3 * time.Second))))
						ctx := context.Background()
						if rnd.IntN(100) < 3 {
							version := p.writeTo(one)
							mu.Lock()
							floor = max(floor, version)
							mu.Unlock()
							continue
						}
						strict := rnd.IntN(4) == 0
						if strict {
							ctx = Fresh(ctx)
						}
						mu.Lock()
						least := floor
						mu.Unlock()
						got := p.getFrom(ctx, one)
						if strict && got < least {
							t.Errorf("seed %d: strict read of version %d after %d", seed, got, least)
						}
						mu.Lock()
						if strict {
							floor = max(floor, got)
						}
						mu.Unlock()
					}
				})
			}
			wg.Wait()
			one.drain()
			two.drain()
			time.Sleep(2 * replicaLag)
			for _, p := range both {
				if got, want := p.getFrom(context.Background(), one), one.row(true).Version; got != want {
					t.Errorf("seed %d: version %d stays, the database holds %d", seed, got, want)
				}
				replica += p.stat("ByID").ReplicaLoads
			}
		})
	}
	if replica == 0 {
		t.Error("no load from the replica: nothing was tested")
	}
	t.Logf("%d loads from the replica", replica)
}

// getFrom and writeTo use the database of another process.
func (r *replicated) getFrom(ctx context.Context, db *replicated) int64 {
	b, err := r.byID.Get(ctx, r.call(1), func(ctx context.Context) (*book, error) {
		b := db.row(NeedsPrimary(ctx))
		return &b, nil
	})
	if err != nil {
		r.t.Error(err)
		return 0
	}
	return b.Version
}

func (r *replicated) writeTo(db *replicated) (version int64) {
	err := r.update.Do(context.Background(), Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run:  func(context.Context) error { version = db.commit().Version; return nil },
	})
	if err != nil {
		r.t.Error(err)
	}
	return version
}
