package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/redisstore"
)

// behindSentinel opens a process that asks a Sentinel who the primary is.
func behindSentinel(t *testing.T, source *shelf, s *testserver.RedisSentinelServers, level cachert.Level) *shop {
	t.Helper()
	return openShop(t, source, plan{
		level: level,
		client: rueidis.ClientOption{
			InitAddress: []string{s.Sentinel.Addr},
			Sentinel:    rueidis.SentinelOption{MasterSet: s.Master},
		},
		options: redisstore.Options{Replicas: 1},
	})
}

// until waits until a server says something.
func until(t *testing.T, srv *testserver.RedisServer, want string, command ...string) {
	t.Helper()
	await(t, func() bool {
		text, err := srv.Do(command...)
		return err == nil && strings.Contains(text, want)
	})
}

// 1 a write has marked, and waited for the replica; 2 the primary is killed, and the Sentinel
// promotes the replica; 3 readers find it, with the marker; 4 the write commits and posts
func TestSentinelFailoverDuringAWrite(t *testing.T) {
	servers := testserver.RedisSentinel(t)
	source := newShelf()
	source.commit(1)
	writer, other := behindSentinel(t, source, servers, cachert.LevelStrict), behindSentinel(t, source, servers, cachert.LevelStrict)
	session := behindSentinel(t, source, servers, cachert.LevelSession)
	for _, s := range []*shop{writer, other, session} {
		s.cached(1, 1)
	}
	v, err := writer.write(t.Context(), 1, func() {
		if err := servers.Primary.Kill(); err != nil {
			t.Error(err)
		}
		for _, s := range []*shop{other, session} {
			s.trusts()
			for range 3 {
				s.fresh(1, 1)
			}
		}
		if n := other.shelf.loads.Load(); n == 0 {
			t.Error("nobody asked the source")
		}
	}, nil)
	if v != 2 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	for _, s := range []*shop{writer, other} {
		s.fresh(1, 2)
	}
	until(t, servers.Replica, "role:master", "INFO", "replication")
	writer.trusts()
	for _, s := range []*shop{writer, other, session} {
		s.cached(1, 2)
	}
}

// 1 the primary freezes; 2 the Sentinel promotes the replica, where a write is acknowledged;
// 3 the primary goes on, with the old generation and the old entry, and believes for a moment
// that it is the primary. No process that has left it reads from it.
func TestTheFormerPrimaryComesBack(t *testing.T) {
	servers := testserver.RedisSentinel(t)
	source := newShelf()
	source.commit(1)
	writer, other := behindSentinel(t, source, servers, cachert.LevelStrict), behindSentinel(t, source, servers, cachert.LevelStrict)
	other.cached(1, 1)
	if err := servers.Primary.Stop(); err != nil {
		t.Fatal(err)
	}
	until(t, servers.Replica, "role:master", "INFO", "replication")
	await(t, func() bool {
		return !writer.Stats().Open && !other.Stats().Open || writer.Stats().Outages > 0 && other.Stats().Outages > 0
	})
	writer.trusts()
	other.trusts()
	// A strict write waits for as many replicas as before, and the former primary is none: so
	// nothing is acknowledged that those who are still connected to it would have to see.
	if v, err := writer.write(t.Context(), 1, nil, nil); !errors.Is(err, redisstore.ErrNotReplicated) || source.version(1) != 1 {
		t.Errorf("a strict write without a replica: version %d, %v", v, err)
	}
	session := openShop(t, source, plan{level: cachert.LevelSession}, servers.Replica.Addr) // marks wait for nobody
	if v, err := session.write(t.Context(), 1, nil, nil); v != 2 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	other.fresh(1, 2)
	if err := servers.Primary.Cont(); err != nil {
		t.Fatal(err)
	}
	for range 50 {
		other.fresh(1, 2)
		writer.fresh(1, 2)
	}
	if text, err := servers.Primary.Do("INFO", "replication"); err != nil || !strings.Contains(text, "role:master") {
		t.Errorf("the former primary should still believe that it is one: %q, %v", text, err)
	}
	other.cached(1, 2)
}

// The server loads a snapshot, and says so to whoever asks: nothing is read from it until it
// has done, and nothing that it holds is believed then.
func TestAServerThatIsLoading(t *testing.T) {
	srv := testserver.Redis(t, "--key-load-delay", "300", "--loading-process-events-interval-bytes", "1024")
	source := newShelf()
	s := openShop(t, source, plan{}, srv.Addr)
	s.cached(1, 0)
	must(t, srv, "EVAL", "for i = 1, 2000 do redis.call('SET', 'filler' .. i, string.rep('x', 100)) end", "0")
	must(t, srv, "SAVE")
	s.mustWrite(1)
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	restarted := make(chan error, 1)
	go func() { restarted <- srv.Restart() }()
	loading := false
	for done := false; !done; {
		select {
		case err := <-restarted:
			if err != nil {
				t.Fatal(err)
			}
			done = true
		case <-time.After(5 * time.Millisecond):
			_, err := srv.Do("PING")
			loading = loading || err != nil && strings.Contains(err.Error(), "LOADING")
		}
		s.fresh(1, 1)
	}
	if !loading {
		t.Error("the server was not seen loading")
	}
	s.trusts()
	s.cached(1, 1)
}
