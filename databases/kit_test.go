package databases

import (
	"context"
	"database/sql"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/outbox"
	"github.com/cachegen/cachegen/runtime/outbox/migration"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// config says how a process sees the world. It travels to children as JSON.
type config struct {
	Database  database
	Redis     string // address; "" for a store in the process
	Namespace string
	Level     cachert.Level
	OnError   cachert.OnError
	Grace     time.Duration
	Poll      time.Duration
	Lease     time.Duration
	Listen    bool
	KillAt    string // a step at which the process kills itself
	Lone      bool   // the write commits by itself
}

// counter is a row behind a cache, in one process.
type counter struct {
	config
	db    *sql.DB
	box   *outbox.Outbox
	cache *cachert.Cache
	read  *cachert.Reader[int]
	write *cachert.Writer
}

func (c config) open(h hook) (*counter, error) {
	k := &counter{config: c, db: c.Database.connect(h)}
	quiet := slog.New(slog.DiscardHandler)
	opt := outbox.Options{Dialect: c.Database.Dialect, Grace: c.Grace, Poll: c.Poll, Logger: quiet}
	if c.Listen {
		opt.Listen = Listen(c.Database.DSN)
	}
	box, err := outbox.New(k.db, opt)
	if err != nil {
		return nil, err
	}
	k.box = box
	o := cachert.Options{Namespace: c.Namespace, Lease: c.Lease, Outbox: box, Logger: quiet}
	o.StoreTimeout = 10 * time.Second // a slow machine is no store that is down
	if c.Redis != "" {
		s, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{c.Redis}}, redisstore.Options{})
		if err != nil {
			return nil, err
		}
		o.Store = s
	}
	if k.cache, err = cachert.Open(o); err != nil {
		return nil, err
	}
	repo := k.cache.Repo(cachert.RepoPolicy{Name: "counter"})
	k.read = cachert.NewReader(repo, cachert.ReadPolicy[int]{
		Method: "Get", Key: "Get", Schema: "int", TTL: time.Hour, Level: c.Level,
		Codec: cachert.Codec[int]{
			Append: func(b []byte, v int) ([]byte, error) { return append(b, byte(v)), nil },
			Decode: func(b []byte) (int, error) { return int(b[0]), nil },
		},
	})
	k.write = cachert.NewWriter(repo, cachert.WritePolicy{Method: "Add", Level: c.Level, OnError: c.OnError})
	return k, nil
}

func (k *counter) close() error {
	return errors.Join(k.cache.Close(), k.box.Close(), k.db.Close())
}

func tags(t *cachert.Tags) { t.Tag("counter/all") }

// add is the cached write, in the transaction of ctx where there is one.
func (k *counter) add(ctx context.Context) error {
	const query = "UPDATE counter SET n = n + 1"
	return k.write.Do(ctx, cachert.Change{Tags: tags, Run: func(ctx context.Context) error {
		if tx, ok := sqltx.From[*sql.Tx](ctx); ok {
			_, err := tx.ExecContext(ctx, query)
			return err
		}
		_, err := k.db.ExecContext(ctx, query)
		return err
	}})
}

// change runs add as the configuration says.
func (k *counter) change(ctx context.Context) error {
	if k.Lone {
		return k.add(ctx)
	}
	return sqltx.Run(ctx, k.cache, k.db, nil, func(ctx context.Context, _ *sql.Tx) error { return k.add(ctx) })
}

func (k *counter) get(ctx context.Context) (int, error) {
	return k.read.Get(ctx, cachert.Call[int]{Tags: tags}, k.source)
}

func (k *counter) source(ctx context.Context) (n int, err error) {
	return n, k.db.QueryRowContext(ctx, "SELECT n FROM counter").Scan(&n)
}

// newCounter makes the tables and opens a counter that stands at 1, closed with the test.
func newCounter(t testing.TB, c config) *counter {
	t.Helper()
	if c.Namespace == "" {
		c.Namespace = newName()
	}
	k, err := c.open(nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := k.close(); err != nil {
			t.Error(err)
		}
	})
	text, err := migration.SQL(c.Database.Dialect, "")
	if err != nil {
		t.Fatal(err)
	}
	k.exec(t, strings.SplitAfter(strings.TrimSpace(text), ";\n")...)
	k.exec(t, "CREATE TABLE counter (n INTEGER)", "INSERT INTO counter VALUES (1)")
	return k
}

func (k *counter) exec(t testing.TB, queries ...string) {
	t.Helper()
	for _, q := range queries {
		if _, err := k.db.ExecContext(t.Context(), q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// rows counts what stands in the outbox.
func (k *counter) rows(t *testing.T) (n int) {
	t.Helper()
	if err := k.db.QueryRowContext(context.WithoutCancel(t.Context()), "SELECT COUNT(*) FROM cachegen_outbox").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// wants reads through the cache and fails unless it gets n.
func (k *counter) wants(t *testing.T, n int, when string) {
	t.Helper()
	if got, err := k.get(t.Context()); got != n || err != nil {
		t.Fatalf("%s: %d, %v, want %d", when, got, err, n)
	}
}

// cached reads until the value comes from the cache.
func (k *counter) cached(t *testing.T) {
	t.Helper()
	until(t, "a cached value", func() bool {
		before := k.cache.Stats().Methods[0].Hits()
		if _, err := k.get(t.Context()); err != nil {
			t.Fatal(err)
		}
		return k.cache.Stats().Methods[0].Hits() > before
	})
}

// until waits for a condition.
func until(t *testing.T, what string, f func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(30 * time.Second)
	for !f() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatalf("waited 30 s for %s", what)
		}
	}
}
