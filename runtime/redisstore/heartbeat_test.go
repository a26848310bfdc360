package redisstore_test

import (
	"context"
	"fmt"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/store"
)

// proved reports whether something sent at t or later has been answered behind a promise.
func proved(l *store.Live, t time.Time) bool {
	now := time.Now()
	return l.Proof().Within(now, now.Sub(t))
}

// 1. a command is sent; its reply is on its way for a long time
// 2. meanwhile another process may have marked, without that being told behind the reply
// 3. the reply comes: it proves what was before 1, not what was before 3
func TestAReplyProvesTheTimeOfItsSending(t *testing.T) {
	srv := testserver.Redis(t)
	w := newWire(t, srv.Addr)
	s := open(t, w.addr())
	promise := live(t, s, "ns:{a}")
	for _, send := range []struct {
		name string
		ask  func()
	}{
		{"a read", func() { _, _ = read(s, "ns:{a}", "ns:{b}") }},
		{"a heartbeat", func() { s.Prove(time.Minute) }}, // the next one comes in 20 s
	} {
		begun := time.Now()
		asked, release := w.hold()
		go send.ask()
		<-asked
		late := time.Now()
		release()
		await(t, func() bool { return proved(promise, begun) })
		if proved(promise, late) {
			t.Errorf("%s: its reply proves a time after it was sent", send.name)
		}
	}
	if !promise.Alive() {
		t.Error("the promise has ended, and nothing has changed")
	}
}

// A network that swallows everything: the connection looks alive for two seconds.
func TestASwallowedHeartbeatProvesNothing(t *testing.T) {
	srv := testserver.Redis(t)
	w := newWire(t, srv.Addr)
	s := open(t, w.addr())
	s.Prove(50 * time.Millisecond)
	promise := live(t, s, "ns:{a}")
	begun := time.Now()
	await(t, func() bool { return proved(promise, begun) })
	asked, release := w.hold()
	defer release()
	hole := time.Now()
	<-asked
	await(t, func() bool { return !promise.Alive() })
	if proved(promise, hole) {
		t.Error("proved by a connection on which nothing has come")
	}
}

// 1. something fails, and the store is probed again over the connection that is in use
// 2. the servers are tested once more; their hearts are those of before, which operations
// look at meanwhile
// 3. a command is answered: it must still be a proof
func TestAProbeOfASessionInUseLeavesItsHearts(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	promise := live(t, s, "ns:{a}")
	var over atomic.Bool
	failed := make(chan error)
	go func() { // for the race detector
		var err error
		for err == nil && !over.Load() {
			_, err = read(s, "ns:{b}")
		}
		failed <- err
	}()
	for range 3 {
		if changed, err := s.Probe(t.Context()); changed || err != nil {
			t.Fatal(changed, err)
		}
	}
	over.Store(true)
	if err := <-failed; err != nil {
		t.Fatal(err)
	}
	begun := time.Now()
	if _, err := read(s, "ns:{c}"); err != nil {
		t.Fatal(err)
	}
	if !proved(promise, begun) {
		t.Error("a reply proves nothing any more")
	}
}

// Each primary proves what it tells of itself: one that is frozen is not proved by the others.
func TestAPrimaryIsNotProvedByAnother(t *testing.T) {
	c := testserver.RedisCluster(t, 3)
	s := open(t, c.Addrs()...)
	s.Prove(30 * time.Millisecond)
	promises := map[*testserver.RedisServer]*store.Live{}
	for i := 0; len(promises) < len(c.Nodes); i++ {
		key := fmt.Sprintf("ns:{%d}", i)
		for _, node := range c.Nodes {
			if _, err := node.Do("EXISTS", key); err == nil { // and not MOVED
				promises[node] = live(t, s, key)
			}
		}
	}
	frozen := c.Nodes[1]
	if err := frozen.Stop(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = frozen.Cont() }()
	since := time.Now()
	for node, promise := range promises {
		if node != frozen {
			await(t, func() bool { return proved(promise, since) })
		}
	}
	await(t, func() bool { return !promises[frozen].Alive() })
	if proved(promises[frozen], since) {
		t.Error("a primary that is frozen was proved")
	}
}

// intCodec keeps versions.
var intCodec = cachert.Codec[int64]{
	Append: func(b []byte, v int64) ([]byte, error) { return fmt.Append(b, v), nil },
	Decode: func(b []byte) (v int64, err error) { _, err = fmt.Sscan(string(b), &v); return v, err },
}

// 1. the server freezes; then the source commits, of which nobody can be told
// 2. a read that starts later than the bound after the commit must not be answered with what
// was before it
func TestStalenessUnderAFrozenServer(t *testing.T) {
	srv := testserver.Redis(t)
	for _, bound := range []time.Duration{50 * time.Millisecond, 100 * time.Millisecond, 250 * time.Millisecond} {
		cache, err := cachert.Open(cachert.Options{
			Namespace: fmt.Sprint("frozen-", bound), Store: open(t, srv.Addr), Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		var version atomic.Int64
		reader := cachert.NewReader(cache.Repo(cachert.RepoPolicy{Name: "rows"}), cachert.ReadPolicy[int64]{
			Method: "Get", Key: "Get", Level: cachert.LevelBounded, Staleness: bound, TTL: time.Hour, Codec: intCodec,
		})
		get := func() int64 {
			v, err := reader.Get(context.Background(), cachert.Call[int64]{}, func(context.Context) (int64, error) { return version.Load(), nil })
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		near := func() uint64 { return cache.Stats().Methods[0].NearHits }
		await(t, func() bool { n := near(); get(); return near() > n })

		if err := srv.Stop(); err != nil {
			t.Fatal(err)
		}
		version.Store(1)
		committed, last, stale := time.Now(), time.Duration(0), 0
		await(t, func() bool {
			for range 100 {
				started := time.Since(committed)
				if get() == 1 {
					return true
				}
				last, stale = started, stale+1
			}
			return false
		})
		if last > bound {
			t.Errorf("bound %v: a read that started %v after the commit returned what was before it", bound, last)
		}
		t.Logf("bound %v: %d stale reads, the last one started %v after the commit", bound, stale, last)
		if err := srv.Cont(); err != nil {
			t.Fatal(err)
		}
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	}
}
