package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"path/filepath"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// counter is a row behind a hand-wired cache, on database/sql.
type counter struct {
	t     *testing.T
	db    *sql.DB
	cache *cachert.Cache
	read  *cachert.Reader[int]
	write *cachert.Writer
	loads int
}

func onEachSQL(t *testing.T, test func(c *counter)) {
	for name, address := range map[string]func() (driver, dsn string){
		"sqlite":   func() (string, string) { return "sqlite", filepath.Join(t.TempDir(), "counter.db") },
		"postgres": func() (string, string) { return "pgx", newDatabase(t) },
	} {
		t.Run(name, func(t *testing.T) {
			driver, dsn := address()
			c := &counter{t: t, db: must(sql.Open(driver, dsn))(t), cache: must(cachert.Open(cachert.Options{Namespace: "test"}))(t)}
			t.Cleanup(func() { _, _ = c.cache.Close(), c.db.Close() })
			for _, query := range []string{"CREATE TABLE counter (n INTEGER)", "INSERT INTO counter VALUES (1)"} {
				must(c.db.ExecContext(t.Context(), query))(t)
			}
			repo := c.cache.Repo(cachert.RepoPolicy{Name: "counter"})
			c.read = cachert.NewReader(repo, cachert.ReadPolicy[int]{
				Method: "Get", Key: "Get", Schema: "int", TTL: 1 << 40,
				Codec: cachert.Codec[int]{
					Append: func(b []byte, v int) ([]byte, error) { return append(b, byte(v)), nil },
					Decode: func(b []byte) (int, error) { return int(b[0]), nil },
				},
			})
			c.write = cachert.NewWriter(repo, cachert.WritePolicy{Method: "Add"})
			test(c)
		})
	}
}

// run is a transaction over the counter.
func (c *counter) run(ctx context.Context, body func(context.Context) error) error {
	return sqltx.Run(ctx, c.cache, c.db, nil, func(ctx context.Context, _ *sql.Tx) error { return body(ctx) })
}

// add is a cached write; it works inside a transaction only.
func (c *counter) add(ctx context.Context) error {
	tx, ok := sqltx.From[*sql.Tx](ctx)
	if !ok {
		return errors.New("no transaction in the context")
	}
	return c.write.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Tag("counter/all") },
		Run: func(ctx context.Context) error {
			_, err := tx.ExecContext(ctx, "UPDATE counter SET n = n + 1")
			return err
		},
	})
}

func (c *counter) get() int {
	c.t.Helper()
	call := cachert.Call[int]{Tags: func(t *cachert.Tags) { t.Tag("counter/all") }}
	n, err := c.read.Get(c.t.Context(), call, func(ctx context.Context) (n int, err error) {
		c.loads++
		return n, c.db.QueryRowContext(ctx, "SELECT n FROM counter").Scan(&n)
	})
	return must(n, err)(c.t)
}

func TestSQLTxCommits(t *testing.T) {
	onEachSQL(t, func(c *counter) {
		c.get()
		if err := c.run(t.Context(), c.add); err != nil {
			c.t.Fatal(err)
		}
		if n := c.get(); n != 2 {
			c.t.Errorf("%d after a commit, want 2", n)
		}
	})
}

func TestSQLTxRollsBack(t *testing.T) {
	onEachSQL(t, func(c *counter) {
		c.get()
		must(0, c.cache.Drain(t.Context()))(c.t)
		failed := errors.New("no")
		err := c.run(t.Context(), func(ctx context.Context) error {
			return errors.Join(c.add(ctx), failed)
		})
		if !errors.Is(err, failed) {
			c.t.Errorf("%v, want the body's error", err)
		}
		func() {
			defer func() {
				if recover() == nil {
					c.t.Error("a panic of the body was swallowed")
				}
			}()
			_ = c.run(t.Context(), func(ctx context.Context) error {
				_ = c.add(ctx)
				panic("in the body")
			})
		}()
		if n := c.get(); n != 1 || c.loads != 1 {
			c.t.Errorf("%d after %d loads, want 1 from the cache", n, c.loads)
		}
		if err := c.run(t.Context(), c.add); err != nil { // the connection is free again
			c.t.Fatal(err)
		}
		if n := c.get(); n != 2 {
			c.t.Errorf("%d, want 2", n)
		}
	})
}

func TestSQLTxSavepoint(t *testing.T) {
	onEachSQL(t, func(c *counter) {
		c.get()
		failed := errors.New("no")
		err := c.run(t.Context(), func(ctx context.Context) error {
			if err := c.run(ctx, func(ctx context.Context) error {
				return errors.Join(c.add(ctx), c.add(ctx), failed)
			}); !errors.Is(err, failed) {
				c.t.Errorf("%v, want the inner body's error", err)
			}
			return c.run(ctx, c.add)
		})
		if err != nil {
			c.t.Fatal(err)
		}
		if n := c.get(); n != 2 {
			c.t.Errorf("%d, want 2: the outer and the second inner transaction", n)
		}
	})
}

// A transaction that began without the cache cannot tell it of its commit.
func TestSQLTxOfAnotherCache(t *testing.T) {
	onEachSQL(t, func(c *counter) {
		err := sqltx.Run(t.Context(), nil, c.db, nil, func(ctx context.Context, _ *sql.Tx) error {
			return c.run(ctx, c.add)
		})
		if err == nil {
			c.t.Error("a cached transaction inside a plain one was let through")
		}
	})
}
