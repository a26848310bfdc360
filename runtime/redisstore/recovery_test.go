package redisstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// crowd reads at random and without a pause, and keeps how long each read took.
type crowd struct {
	shop  *shop
	stop  chan struct{}
	wg    sync.WaitGroup
	reads atomic.Int64

	mu   sync.Mutex
	took []time.Duration // since the last call of slowest
}

const books = 200

func newCrowd(s *shop, readers int) *crowd {
	c := &crowd{shop: s, stop: make(chan struct{})}
	for i := range readers {
		c.wg.Go(func() {
			for id := int64(i); ; id++ {
				select {
				case <-c.stop:
					return
				default:
				}
				start := time.Now()
				s.read(s.t.Context(), id%books)
				took := time.Since(start)
				c.reads.Add(1)
				c.mu.Lock()
				c.took = append(c.took, took)
				c.mu.Unlock()
			}
		})
	}
	return c
}

func (c *crowd) leave() {
	close(c.stop)
	c.wg.Wait()
}

// after waits for some more reads, and returns how long the slowest hundredth took at least
// and the slowest of all.
func (c *crowd) after(t *testing.T, reads int64) string {
	t.Helper()
	c.mu.Lock()
	c.took = nil
	c.mu.Unlock()
	until := c.reads.Load() + reads
	await(t, func() bool { return c.reads.Load() >= until })
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(c.took)
	return fmt.Sprintf("p50 %v, p99 %v, longest %v", c.took[len(c.took)/2], c.took[len(c.took)*99/100], c.took[len(c.took)-1])
}

// The store goes and comes back under load. Readers see no error (read says so); -v shows how
// long it took to notice, what readers felt of it, and when there was the first hit again.
func TestRecoveryUnderLoad(t *testing.T) {
	for _, level := range []cachert.Level{cachert.LevelSession, cachert.LevelStrict} {
		for name, fault := range map[string]struct {
			hurt, heal func(*testserver.RedisServer) error
		}{
			"killed": {(*testserver.RedisServer).Kill, (*testserver.RedisServer).Restart},
			"frozen": {(*testserver.RedisServer).Stop, (*testserver.RedisServer).Cont},
		} {
			t.Run(fmt.Sprintf("%s/%v", name, level), func(t *testing.T) {
				srv := testserver.Redis(t)
				s := openShop(t, newShelf(), plan{level: level, cache: cachert.Options{StoreTimeout: 100 * time.Millisecond}}, srv.Addr)
				c := newCrowd(s, 8)
				defer c.leave()
				c.after(t, 2000)
				t.Logf("%-22s %s", "before:", c.after(t, 2000))
				start := time.Now()
				if err := fault.hurt(srv); err != nil {
					t.Fatal(err)
				}
				closed := make(chan time.Duration, 1)
				go func() {
					for s.Stats().Open && t.Context().Err() == nil {
						time.Sleep(100 * time.Microsecond)
					}
					closed <- time.Since(start)
				}()
				felt := c.after(t, 2000)
				t.Logf("%-22s %s", "while it is noticed:", felt)
				t.Logf("%-22s %v", "noticed after:", <-closed)
				t.Logf("%-22s %s", "while it is down:", c.after(t, 2000))
				hits := s.stat("ByID").Hits()
				start = time.Now()
				if err := fault.heal(srv); err != nil {
					t.Fatal(err)
				}
				healed := time.Since(start)
				await(t, func() bool { return s.stat("ByID").Hits() > hits })
				t.Logf("%-22s %v, of which %v until it served", "first hit after:", time.Since(start), healed)
				if n := s.stat("ByID").LoadErrors; n != 0 {
					t.Errorf("%d errors", n)
				}
			})
		}
	}
}

// All is flushed at full load: the source is never asked by more than the limit at a time.
func TestFlushAtFullLoad(t *testing.T) {
	const limit = 4
	srv := testserver.Redis(t)
	s := openShop(t, newShelf(), plan{level: cachert.LevelSession, cache: cachert.Options{MaxLoads: limit}}, srv.Addr)
	var running, most, loads atomic.Int64
	var wg sync.WaitGroup
	stop := make(chan struct{})
	for i := range 32 {
		wg.Go(func() {
			for id := int64(i); ; id++ {
				select {
				case <-stop:
					return
				default:
				}
				_, err := s.reader.Get(t.Context(), cachert.Call[int64]{Key: cachert.NewArgs().Int(id % books), Tags: bookTag(id % books)}, func(context.Context) (int64, error) {
					n := running.Add(1)
					defer running.Add(-1)
					for old := most.Load(); n > old && !most.CompareAndSwap(old, n); old = most.Load() {
					}
					loads.Add(1)
					time.Sleep(time.Millisecond) // a statement of a database
					return 0, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		before := loads.Load()
		must(t, srv, "FLUSHALL")
		await(t, func() bool { return loads.Load() >= before+books })
	}
	close(stop)
	wg.Wait()
	t.Logf("%d loads, at most %d at a time with a limit of %d, %d waited", loads.Load(), most.Load(), limit, s.Stats().LoadsWaited)
	if most.Load() != limit {
		t.Errorf("at most %d loads at a time, want %d", most.Load(), limit)
	}
}
