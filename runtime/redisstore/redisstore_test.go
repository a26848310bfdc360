package redisstore_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/store"
	"github.com/cachegen/cachegen/runtime/storetest"
	"github.com/cachegen/cachegen/runtime/storetest/consistency"
	"github.com/redis/rueidis"
)

// open connects a client to addrs and waits until it may be used.
func open(t *testing.T, addrs ...string) *redisstore.Store {
	t.Helper()
	s := unprobed(t, addrs...)
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := s.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	return s
}

func unprobed(t *testing.T, addrs ...string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(rueidis.ClientOption{InitAddress: addrs}, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func must(t *testing.T, srv *testserver.RedisServer, args ...string) {
	t.Helper()
	if _, err := srv.Do(args...); err != nil {
		t.Fatal(err)
	}
}

func TestConformance(t *testing.T) {
	srv := testserver.Redis(t)
	storetest.Run(t, func(t *testing.T) storetest.Fixture {
		return storetest.Fixture{
			Store: open(t, srv.Addr),
			Other: open(t, srv.Addr),
			Open:  func(t *testing.T) store.Store { return open(t, srv.Addr) },
			Evict: func(t *testing.T, key string) { must(t, srv, "DEL", key) },
			Flush: func(t *testing.T) { must(t, srv, "FLUSHALL") },
			Hang: func(t *testing.T) func() {
				if err := srv.Stop(); err != nil {
					t.Fatal(err)
				}
				return func() {
					if err := srv.Cont(); err != nil {
						t.Error(err)
					}
				}
			},
		}
	})
}

func TestConsistency(t *testing.T) {
	srv := testserver.Redis(t)
	w := newWire(t, srv.Addr)
	consistency.Run(t, consistency.Config{
		Pairs: 100_000,
		Stores: func(t *testing.T) (one, two store.Store) {
			return open(t, w.addr()), open(t, srv.Addr)
		},
		Hold: w.hold,
	})
}

func TestCluster(t *testing.T) {
	c := testserver.RedisCluster(t, 3)
	consistency.Run(t, consistency.Config{
		Pairs: 2_000, Rounds: 50, Steps: 2_000,
		Stores: func(t *testing.T) (one, two store.Store) {
			return open(t, c.Addrs()...), open(t, c.Addrs()...)
		},
	})
}

func read(s store.Store, cells ...string) (store.ReadReply, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.Read(ctx, store.ReadRequest{
		Cells: cells, Near: true, CellTTL: time.Hour,
		Fresh: func() store.Generation { return "fresh" },
	})
}

// live reads a cell until it comes with a promise.
func live(t *testing.T, s store.Store, cell string) *store.Live {
	t.Helper()
	for range 3 { // made, then tracked
		r, err := read(s, cell)
		if err != nil {
			t.Fatal(err)
		}
		if l := r.Cells[0].Live; l != nil {
			return l
		}
	}
	t.Fatal("no promise")
	return nil
}

func TestServerKilledAndRestarted(t *testing.T) {
	srv := testserver.Redis(t)
	s := unprobed(t, srv.Addr)
	down := make(chan error, 10)
	s.OnDown(func(err error) { down <- err })
	if _, err := read(s, "ns:{a}"); !errors.Is(err, store.ErrDown) {
		t.Errorf("before the first probe: %v, want ErrDown", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	if changed, err := s.Probe(ctx); changed || err != nil {
		t.Fatal(changed, err)
	}
	promise := live(t, s, "ns:{a}")
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-down:
		if !errors.Is(err, store.ErrDown) {
			t.Error(err)
		}
	case <-ctx.Done():
		t.Fatal("the loss of the connection was not reported")
	}
	if promise.Alive() {
		t.Error("a promise outlived its connection")
	}
	if _, err := read(s, "ns:{a}"); !errors.Is(err, store.ErrDown) {
		t.Errorf("%v, want ErrDown", err)
	}
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	for {
		changed, err := s.Probe(ctx)
		if err == nil {
			if !changed {
				t.Error("the restarted server is another one")
			}
			break
		}
		if ctx.Err() != nil {
			t.Fatal(err)
		}
	}
	live(t, s, "ns:{a}")
}

func TestFrozenServerKeepsTheDeadline(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	if err := srv.Stop(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Cont() }()
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	_, err := s.Post(ctx, store.PostRequest{Bumps: []store.BumpCell{{Key: "ns:{a}", Fresh: "f"}}, CellTTL: time.Hour})
	if !errors.Is(err, store.ErrDown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v, want ErrDown after the deadline", err)
	}
}

func TestScriptsAreSentAgainAfterAFlush(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	for range 2 {
		must(t, srv, "SCRIPT", "FLUSH")
		r, err := s.Post(context.Background(), store.PostRequest{
			Bumps:   []store.BumpCell{{Key: "ns:{new}", Absent: true, Fresh: "f"}, {Key: "ns:{b}", Fresh: "f"}},
			CellTTL: time.Hour,
		})
		if err != nil || r.Outcomes[1] != store.Replaced {
			t.Errorf("%v, %v", r, err)
		}
	}
}

func TestFindings(t *testing.T) {
	for code, args := range map[string][]string{
		"eviction": {"--maxmemory-policy", "allkeys-lru"},
		"tracking": {"--rename-command", "CLIENT", ""},
		"":         nil,
	} {
		t.Run("code "+code, func(t *testing.T) {
			s := open(t, testserver.Redis(t, args...).Addr)
			var codes []string
			for _, f := range s.Findings() {
				codes = append(codes, f.Code)
				if f.Text == "" || !f.Degraded {
					t.Errorf("%+v", f)
				}
			}
			if strings.Join(codes, " ") != code {
				t.Errorf("findings %q, want %q", codes, code)
			}
			if code == "tracking" { // reads are still right, and give no promise
				for range 2 {
					if r, err := read(s, "ns:{a}"); err != nil || r.Cells[0].Generation == "" || r.Cells[0].Live != nil {
						t.Errorf("%+v, %v", r, err)
					}
				}
			}
		})
	}
}

func TestSentinel(t *testing.T) {
	sentinel := testserver.RedisSentinel(t)
	s, err := redisstore.New(rueidis.ClientOption{
		InitAddress: []string{sentinel.Sentinel.Addr},
		Sentinel:    rueidis.SentinelOption{MasterSet: sentinel.Master},
	}, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if _, err := s.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	live(t, s, "ns:{a}")
}

func TestOptionsThatBreakTheProtocolAreRefused(t *testing.T) {
	for name, opt := range map[string]rueidis.ClientOption{
		"replicas": {SendToReplicas: func(rueidis.Completed) bool { return true }},
		"replica":  {ReplicaOnly: true},
		"noloop":   {ClientTrackingOptions: []string{"OPTIN", "noloop"}},
		"cache":    {NewCacheStoreFn: func(rueidis.CacheStoreOption) rueidis.CacheStore { return nil }},
	} {
		if _, err := redisstore.New(opt, redisstore.Options{}); err == nil || !strings.Contains(err.Error(), "unset") {
			t.Errorf("%s: %v, want an error that names the cure", name, err)
		}
	}
}
