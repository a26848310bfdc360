package redisstore_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// withReplica starts a primary and a replica that is in step with it.
func withReplica(t *testing.T) (primary, replica *testserver.RedisServer) {
	t.Helper()
	primary = testserver.Redis(t)
	host, port, err := net.SplitHostPort(primary.Addr)
	if err != nil {
		t.Fatal(err)
	}
	replica = testserver.Redis(t, "--replicaof", host+" "+port)
	await(t, func() bool {
		info, err := primary.Do("INFO", "replication")
		return err == nil && strings.Contains(info, "state=online")
	})
	return primary, replica
}

func waiting(t *testing.T, addrs ...string) *redisstore.Store {
	t.Helper()
	s, err := redisstore.New(rueidis.ClientOption{InitAddress: addrs}, redisstore.Options{Replicas: 1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Probe(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	return s
}

func markFor(t *testing.T, s store.Store, d time.Duration, cells ...string) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	_, err := s.Mark(ctx, store.MarkRequest{
		Token: "writer", Cells: cells, Lease: time.Minute, CellTTL: time.Hour,
		Fresh: func() store.Generation { return "fresh" },
	})
	return err
}

// When Mark returns the marker is on the replica; while that is frozen Mark fails, and it is
// noticed even when the scripts had to be sent again.
func TestAMarkIsWaitedForOnTheReplica(t *testing.T) {
	primary, replica := withReplica(t)
	s := waiting(t, primary.Addr)
	if f := s.Findings(); len(f) > 0 {
		t.Errorf("%+v", f)
	}
	for i := range 50 {
		cell := fmt.Sprintf("ns:{%d}", i)
		if err := markFor(t, s, 5*time.Second, cell); err != nil {
			t.Fatal(err)
		}
		if v, err := replica.Do("GET", cell); err != nil || !strings.HasPrefix(v, "mwriter,") {
			t.Fatalf("the replica has %q, %v", v, err)
		}
	}
	must(t, primary, "SCRIPT", "FLUSH")
	await(t, func() bool { // the replica has nothing to acknowledge but what comes now
		info, err := primary.Do("INFO", "replication")
		_, offset, _ := strings.Cut(info, "master_repl_offset:")
		offset, _, _ = strings.Cut(offset, "\r\n")
		return err == nil && strings.Contains(info, ",offset="+offset+",")
	})
	if err := replica.Stop(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = replica.Cont() }()
	start := time.Now()
	err := markFor(t, s, time.Second, "ns:{a}")
	if !errors.Is(err, redisstore.ErrNotReplicated) || errors.Is(err, store.ErrDown) {
		t.Errorf("with a frozen replica: %v, want ErrNotReplicated", err)
	}
	// Who comes next does not wait, nor does anybody behind it on the connection.
	if err := markFor(t, s, 5*time.Second, "ns:{b}"); !errors.Is(err, redisstore.ErrNotReplicated) || !strings.Contains(err.Error(), "a moment ago") {
		t.Errorf("soon after: %v", err)
	}
	if took := time.Since(start); took > 3*time.Second {
		t.Errorf("two marks took %v", took)
	}
	if err := replica.Cont(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool { return markFor(t, s, 5*time.Second, "ns:{a}") == nil })
}

// 1 a write marks at the primary, whose replica is frozen; 2 the primary dies, and the replica,
// which has not seen the marker, takes over; 3 a reader stores the row as it was; 4 the write
// commits. A strict write must have been refused before; one at session goes on, counted.
func TestFailoverLosesTheMark(t *testing.T) {
	primary, replica := withReplica(t)
	if err := replica.Stop(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = replica.Cont() }()
	patience := cachert.Options{StoreTimeout: 500 * time.Millisecond}
	source := newShelf()
	strict := openShop(t, source, plan{options: redisstore.Options{Replicas: 1}, cache: patience}, primary.Addr)
	_, err := strict.write(t.Context(), 1, nil, nil)
	if !errors.Is(err, cachert.ErrRefused) || !errors.Is(err, redisstore.ErrNotReplicated) || source.version(1) != 0 {
		t.Errorf("a strict write: %v, version %d; want ErrRefused and no commit", err, source.version(1))
	}
	if n := strict.stat("Update").Refused; n != 1 {
		t.Errorf("%d refused, want 1", n)
	}
	if !strict.Stats().Open {
		t.Error("the primary serves, and is not trusted")
	}
	strict.cached(1, 0) // the refused write has taken its marker back

	session := openShop(t, source, plan{level: cachert.LevelSession, options: redisstore.Options{Replicas: 1}, cache: patience}, primary.Addr)
	if v, err := session.write(t.Context(), 1, nil, nil); v != 1 || err != nil {
		t.Errorf("a write at session: version %d, %v", v, err)
	}
	if n := session.stat("Update").StoreErrors; n != 1 {
		t.Errorf("%d store errors counted, want 1", n)
	}
	session.cached(1, 1)
	strict.cached(1, 1)
}

// 1 a write has marked, and the replica has the marker; 2 the primary dies, the replica takes
// over; 3 a reader loads the row as it was, and must not store it; 4 the write commits and posts
func TestFailoverKeepsTheMarkThatWasWaitedFor(t *testing.T) {
	primary, replica := withReplica(t)
	w := newWire(t, primary.Addr) // the address that follows the primary
	source := newShelf()
	source.commit(1)
	waits := plan{options: redisstore.Options{Replicas: 1}}
	writer, other := openShop(t, source, waits, w.addr()), openShop(t, source, plan{}, w.addr())
	other.cached(1, 1)
	v, err := writer.write(t.Context(), 1, func() {
		w.move(replica.Addr)
		if err := primary.Kill(); err != nil {
			t.Error(err)
		}
		promote(t, replica)
		other.trusts()
		for range 3 {
			other.fresh(1, 1)
		}
	}, func() {
		for range 3 {
			other.fresh(1, 2)
		}
	})
	if v != 2 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	other.fresh(1, 2)
	writer.trusts()
	other.cached(1, 2)
	writer.fresh(1, 2)
}

func TestWhatIsFoundAboutReplicas(t *testing.T) {
	primary, _ := withReplica(t)
	for _, c := range []struct {
		replicas int
		degraded bool
		text     string
	}{
		{0, false, "set Options.Replicas to 1"},
		{1, false, ""},
		{2, true, "every mark fails"},
	} {
		s, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{primary.Addr}}, redisstore.Options{Replicas: c.replicas})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := s.Probe(within(t, 10*time.Second)); err != nil {
			t.Fatal(err)
		}
		found := s.Findings()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		switch {
		case c.text == "" && len(found) == 0:
		case len(found) == 1 && found[0].Code == "replicas" && found[0].Degraded == c.degraded && strings.Contains(found[0].Text, c.text):
		default:
			t.Errorf("Replicas %d: %+v, want %q", c.replicas, found, c.text)
		}
	}
	if _, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{primary.Addr}}, redisstore.Options{Replicas: -1}); err == nil {
		t.Error("a negative number of replicas is accepted")
	}
}

// What waiting costs a mark, alone and among eight at a time on one connection.
func BenchmarkMark(b *testing.B) {
	primary := testserver.Redis(b)
	replica := testserver.Redis(b, "--replicaof", strings.Replace(primary.Addr, ":", " ", 1))
	for online := false; !online; {
		info, err := replica.Do("INFO", "replication")
		if err != nil {
			b.Fatal(err)
		}
		online = strings.Contains(info, "master_link_status:up")
	}
	for _, replicas := range []int{0, 1} {
		for _, writers := range []int{1, 8} {
			b.Run(fmt.Sprintf("replicas=%d/writers=%d", replicas, writers), func(b *testing.B) {
				s, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{primary.Addr}}, redisstore.Options{Replicas: replicas})
				if err != nil {
					b.Fatal(err)
				}
				defer func() { _ = s.Close() }()
				if _, err := s.Probe(b.Context()); err != nil {
					b.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
				defer cancel()
				var ids atomic.Int64
				b.SetParallelism((writers + runtime.GOMAXPROCS(0) - 1) / runtime.GOMAXPROCS(0))
				mark := func() {
					if _, err := s.Mark(ctx, store.MarkRequest{Token: "w", Cells: []string{fmt.Sprintf("ns:{%d}", ids.Add(1)%1000)}, Lease: time.Minute}); err != nil {
						b.Error(err)
					}
				}
				b.ResetTimer()
				if writers == 1 {
					for b.Loop() {
						mark()
					}
					return
				}
				b.RunParallel(func(pb *testing.PB) {
					for pb.Next() {
						mark()
					}
				})
			})
		}
	}
}
