package sqlstore_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/example/sqlstore"
	"github.com/cachegen/cachegen/internal/testserver"
)

// One PostgreSQL serves all tests; each gets a database of its own.
var (
	postgres  *testserver.PostgresServer
	databases atomic.Int64
)

func TestMain(m *testing.M) {
	var err error
	if postgres, err = testserver.StartPostgres(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	code := m.Run()
	if err := postgres.Close(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// onEach runs a test on an empty shop in each database.
func onEach(t *testing.T, test func(t *testing.T, db *sqlstore.DB)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, open(t, filepath.Join(t.TempDir(), "shop.db")))
	})
	t.Run("postgres", func(t *testing.T) {
		test(t, open(t, newDatabase(t)))
	})
}

// newDatabase makes an empty database and returns its address.
func newDatabase(t *testing.T) string {
	t.Helper()
	server, err := sqlx.Open("pgx", postgres.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	name := fmt.Sprintf("shop%d", databases.Add(1))
	if _, err := server.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	return strings.Replace(postgres.DSN, "/postgres?", "/"+name+"?", 1)
}

func open(t *testing.T, address string) *sqlstore.DB {
	t.Helper()
	db, err := sqlstore.Open(t.Context(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// must gives the value of a call, and fails the test when there is an error: must(f())(t).
func must[V any](v V, err error) func(*testing.T) V {
	return func(t *testing.T) V {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func dune(author int64) bookshop.Book {
	end := time.Date(1999, 12, 31, 0, 0, 0, 0, time.UTC)
	return bookshop.Book{
		AuthorID: author, ISBN: sqlstore.ISBN(7), Title: "Dune", Summary: "Sand.", Tags: []string{"novel", "desert"},
		Pages: 412, PriceCents: 1999, Stock: 3,
		PublishedAt: time.Date(1965, 8, 1, 0, 0, 0, 123456000, time.UTC), DiscontinuedAt: &end,
	}
}
