package databases

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/outbox"
)

// A writer is killed between COMMIT and post, at a level and with the store reachable or not.
// Nobody tells the store, until the relay of another process does.
func TestWriterKilledBetweenCommitAndPost(t *testing.T) {
	nobody := unusedAddr(t)
	redis := redis.get(t).Addr
	for _, dialect := range []string{outbox.Postgres, outbox.MySQL, outbox.SQLite} {
		for _, level := range []cachert.Level{cachert.LevelBounded, cachert.LevelSession} {
			for name, addr := range map[string]string{"store up": redis, "store down": nobody} {
				for kind, lone := range map[string]bool{"transaction": false, "by itself": true} {
					t.Run(fmt.Sprintf("%s/%v/%s/%s", dialect, level, name, kind), func(t *testing.T) {
						t.Parallel()
						c := config{Database: newDatabase(t, dialect), Redis: redis, Namespace: newName(), Level: level, OnError: cachert.OnErrorOutbox, Lease: time.Second, Grace: 100 * time.Millisecond, Lone: lone}
						reader := newCounter(t, c)
						reader.cached(t)
						c.Redis, c.KillAt = addr, "after COMMIT"
						if lone {
							c.KillAt = "after UPDATE counter"
						}
						start(t, "writer", c).dies()
						died := time.Now()
						if n, err := reader.source(t.Context()); n != 2 || err != nil {
							t.Fatalf("%d, %v: the writer died before its commit", n, err)
						}
						if n := reader.rows(t); n != 1 {
							t.Fatalf("%d rows, want the one of the writer", n)
						}
						if level == cachert.LevelSession && addr == redis { // its markers stand
							reader.wants(t, 2, "before the relay")
						} else {
							reader.wants(t, 1, "before the relay, or this test shows nothing")
						}
						c.Redis, c.KillAt = redis, ""
						start(t, "relay", c)
						started := time.Now()
						until(t, "the relay", func() bool {
							n, err := reader.get(t.Context())
							return n == 2 && err == nil
						})
						t.Logf("fresh %v after the death of the writer, %v after the start of the relay",
							time.Since(died).Round(time.Millisecond), time.Since(started).Round(time.Millisecond))
						until(t, "an empty outbox", func() bool { return reader.rows(t) == 0 })
						reader.cached(t)
						reader.wants(t, 2, "from the cache")
					})
				}
			}
		}
	}
}

// unusedAddr is an address at which nobody listens.
func unusedAddr(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}
