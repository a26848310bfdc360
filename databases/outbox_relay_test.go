package databases

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/outbox"
	"github.com/cachegen/cachegen/runtime/outbox/migration"
)

// owed commits a change of the counter and the row of a writer that has died since.
func (k *counter) owed(t *testing.T, cells ...string) {
	t.Helper()
	k.exec(t, "UPDATE counter SET n = n + 1")
	if len(cells) == 0 {
		cells = []string{k.cell()}
	}
	if err := k.box.Add(t.Context(), nil, cachert.OutboxRow{ID: newName(), Namespace: k.Namespace, Cells: cells}); err != nil {
		t.Fatal(err)
	}
}

func (k *counter) cell() string { return k.Namespace + ":{counter/all}" }

// relay runs a relay in this process until the test ends.
func (k *counter) relay(t *testing.T, cache outbox.Cache) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	done := make(chan error, 1)
	go func() { done <- k.box.Run(ctx, cache) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; !errors.Is(err, context.Canceled) {
			t.Errorf("Run: %v", err)
		}
	})
}

// told is a Cache that only takes note.
type told struct {
	namespace string
	mu        sync.Mutex
	cells     []string
	hold      chan struct{} // nil, or closed to let Deliver go on
	held      chan struct{} // told when Deliver is held
}

func (c *told) Namespace() string { return c.namespace }

func (c *told) Deliver(_ context.Context, cells []string) error {
	if c.hold != nil {
		c.held <- struct{}{}
		<-c.hold
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.cells = append(c.cells, cells...)
	return nil
}

func (c *told) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.cells)
}

// A relay is killed at each of its steps. Another one delivers what it has left.
func TestRelayKilledAtEachStep(t *testing.T) {
	redis := redis.get(t).Addr
	onEach(t, func(t *testing.T, d database) {
		c := config{Database: d, Redis: redis, Namespace: newName(), Level: cachert.LevelBounded, Grace: time.Millisecond}
		reader := newCounter(t, c)
		steps := []string{"before SELECT id", "after SELECT id", "before DELETE", "after DELETE"}
		if d.Dialect != outbox.SQLite {
			steps = append(steps, "before COMMIT", "after COMMIT")
		}
		for i, step := range steps {
			reader.cached(t)
			reader.owed(t)
			reader.wants(t, i+1, "before the relay, or this test shows nothing")
			c.KillAt = step
			start(t, "relay", c).dies()
			c.KillAt = ""
			second := start(t, "relay", c)
			until(t, "the second relay after one killed "+step, func() bool {
				n, err := reader.get(t.Context())
				return n == i+2 && err == nil && reader.rows(t) == 0
			})
			second.end()
		}
	})
}

// Two relays share the work; on PostgreSQL each row is delivered once.
func TestTwoRelays(t *testing.T) {
	const rows = 300
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, Grace: time.Millisecond})
		var want []string
		for i := range rows {
			want = append(want, fmt.Sprintf("%s:{%03d}", k.Namespace, i))
			k.owed(t, want[i])
		}
		cache := &told{namespace: k.Namespace}
		for range 2 {
			second := config{Database: d, Namespace: k.Namespace, Grace: time.Millisecond}
			other, err := second.open(nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = other.close() })
			other.relay(t, cache)
		}
		until(t, "an empty outbox", func() bool { return k.rows(t) == 0 })
		slices.Sort(cache.cells)
		if d.Dialect != outbox.Postgres { // SQLite has no locks, and MariaDB calls a deadlock now and then: done again
			cache.cells = slices.Compact(cache.cells)
		}
		if !slices.Equal(cache.cells, want) {
			t.Errorf("%d cells delivered, want each of %d once", len(cache.cells), rows)
		}
	})
}

// A relay that is busy keeps no writer waiting.
func TestWritersDoNotWaitForARelay(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, Grace: time.Millisecond, OnError: cachert.OnErrorOutbox})
		k.owed(t)
		other, err := k.config.open(nil)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = other.close() })
		busy := &told{namespace: k.Namespace, hold: make(chan struct{}), held: make(chan struct{}, 100)}
		other.relay(t, busy)
		defer close(busy.hold)
		<-busy.held
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		for range 5 {
			if err := k.change(ctx); err != nil {
				t.Fatal(err)
			}
		}
	})
}

// NOTIFY wakes a relay that would look again in an hour; when it has lost its connection, too.
func TestNotifyWakesTheRelay(t *testing.T) {
	d := newDatabase(t, outbox.Postgres)
	k := newCounter(t, config{Database: d, Grace: 10 * time.Millisecond, Poll: time.Hour, Listen: true})
	cache := &told{namespace: k.Namespace}
	k.relay(t, cache)
	until(t, "a relay that listens", func() bool { return k.box.Stats().Wakes == 1 })
	k.owed(t)
	until(t, "a delivery", func() bool { return cache.count() == 1 })

	k.exec(t, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'")
	k.owed(t) // perhaps while nobody listens
	until(t, "a delivery after a lost connection", func() bool { return cache.count() == 2 })
}

// far is a Cache whose store takes its time.
type far struct{ told }

func (c *far) Deliver(ctx context.Context, cells []string) error {
	select {
	case <-time.After(50 * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	return c.told.Deliver(ctx, cells)
}

// 1. among the rows of a batch is one that cannot be read, so that each is delivered alone
// 2. that takes longer than a conversation with the database may
// 3. the pass is rolled back, and the next one begins anew with the same rows
//
// So a pass ends in time with what it has done.
func TestABadRowAmongManyAndAFarStore(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, Grace: time.Millisecond})
		for range 12 {
			k.owed(t)
		}
		k.exec(t, "UPDATE cachegen_outbox SET cells = '{' WHERE id IN (SELECT id FROM (SELECT MAX(id) AS id FROM cachegen_outbox) AS t)")
		near := *k
		box, err := outbox.New(k.db, outbox.Options{
			Dialect: d.Dialect, Grace: time.Millisecond, Timeout: 500 * time.Millisecond, Logger: slog.New(slog.DiscardHandler),
		})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = box.Close() })
		near.box = box
		near.relay(t, &far{told{namespace: k.Namespace}})
		until(t, "deliveries, and one row set aside", func() bool {
			return box.Stats().SetAside > 0 && k.rows(t) == 1
		})
	})
}

// The table's name is as long as PostgreSQL allows, twice as long with its schema: longer than the
// name of a channel may be. Rows are written, and a relay hears of them.
func TestALongNameNotifies(t *testing.T) {
	d := newDatabase(t, outbox.Postgres)
	k := newCounter(t, config{Database: d})
	schema, table := strings.Repeat("s", 63), strings.Repeat("t", 59)
	text, err := migration.SQL(d.Dialect, schema+"."+table)
	if err != nil {
		t.Fatal(err)
	}
	k.exec(t, "CREATE SCHEMA "+schema)
	k.exec(t, strings.SplitAfter(strings.TrimSpace(text), ";\n")...)
	long := *k
	long.box, err = outbox.New(k.db, outbox.Options{
		Dialect: d.Dialect, Table: schema + "." + table, Grace: time.Millisecond, Poll: time.Hour,
		Listen: Listen(d.DSN), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = long.box.Close() })
	cache := &told{namespace: k.Namespace}
	long.relay(t, cache)
	until(t, "a relay that listens", func() bool { return long.box.Stats().Wakes == 1 })
	long.owed(t)
	until(t, "a delivery", func() bool { return cache.count() == 1 })
}

// A row that is due later than a relay has last looked is found without a poll.
func TestRelayWaitsForTheNextRow(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, Grace: 200 * time.Millisecond, Poll: time.Hour})
		k.owed(t)
		cache := &told{namespace: k.Namespace}
		k.relay(t, cache)
		until(t, "a delivery", func() bool { return cache.count() == 1 })
		until(t, "an empty outbox", func() bool { return k.rows(t) == 0 })
		if passes := k.box.Stats().Passes; passes > 3 {
			t.Errorf("%d looks at the table, want two or three", passes)
		}
	})
}

// Rows that cannot be read do not keep others waiting; what they may have meant is covered by
// renewing the namespace.
func TestBadRows(t *testing.T) {
	server := redis.get(t)
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, Redis: server.Addr, Grace: time.Millisecond})
		k.cached(t)
		for i, cells := range []string{``, `[]`, `{"a": 1}`, `["\u1234"]`, `["elsewhere:{counter/all}"]`, `["` + k.Namespace + `:{torn`} {
			k.exec(t, fmt.Sprintf("INSERT INTO cachegen_outbox (id, namespace, cells, created, due) VALUES ('bad%d', '%s', '%s', 0, 0)", i, k.Namespace, cells))
		}
		k.exec(t, "UPDATE counter SET n = n + 1") // and no row that says so: it is one of the bad ones
		k.relay(t, k.cache)
		until(t, "all rows to be looked at", func() bool {
			return k.box.Stats().SetAside == 6
		})
		k.wants(t, 2, "after rows that could not be read")
		k.cached(t)
		k.owed(t)
		until(t, "a good row", func() bool {
			n, err := k.get(t.Context())
			return n == 3 && err == nil
		})
		until(t, "the row to go", func() bool { return k.rows(t) == 6 })
	})
}

// A row that the store refuses waits, and does not keep others waiting.
func TestRefusedRow(t *testing.T) {
	server := testserver.Redis(t)
	if _, err := server.Do("ACL", "SETUSER", "default", "resetkeys", "~*:{counter*", "~*:{[*]}", "~cachegen-probe:*"); err != nil {
		t.Fatal(err)
	}
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, Redis: server.Addr, Grace: time.Millisecond})
		k.cached(t)
		k.owed(t, k.Namespace+":{refused}")
		k.owed(t)
		k.relay(t, k.cache)
		until(t, "the other row", func() bool { return k.rows(t) == 1 && k.box.Stats().Postponed > 0 })
		k.wants(t, 3, "after a row that was refused")
	})
}

// Keys are bytes, and the store need not be there when the relay starts.
func TestRelayOutlivesAnOutageOfTheStore(t *testing.T) {
	server := testserver.Redis(t)
	d := newDatabase(t, outbox.Postgres)
	k := newCounter(t, config{Database: d, Redis: server.Addr, Grace: time.Millisecond})
	if err := server.Kill(); err != nil {
		t.Fatal(err)
	}
	odd := k.Namespace + ":{counter/\xff\xfe\"é'\\}"
	k.owed(t, odd)
	k.relay(t, k.cache)
	until(t, "a failure", func() bool { return k.box.Stats().Failures > 1 })
	if n := k.rows(t); n != 1 {
		t.Fatalf("%d rows while the store is down", n)
	}
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	until(t, "the delivery", func() bool { return k.rows(t) == 0 })
	if v, err := server.Do("EXISTS", odd); v != "1" || err != nil {
		t.Errorf("EXISTS %q: %q, %v", odd, v, err)
	}
}
