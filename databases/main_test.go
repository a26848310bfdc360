package databases

import (
	"database/sql"
	"database/sql/driver"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	_ "github.com/go-mysql-org/go-mysql/driver"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/outbox"
)

// servers are started when a test first asks for one, and serve all tests.
var (
	postgres = &shared[*testserver.PostgresServer]{start: testserver.StartPostgres}
	mariadb  = &shared[*testserver.MariaDBServer]{start: testserver.StartMariaDB}
	redis    = &shared[*testserver.RedisServer]{start: func() (*testserver.RedisServer, error) { return testserver.StartRedis() }}
)

type shared[S interface{ Close() error }] struct {
	start   func() (S, error)
	once    sync.Once
	server  S
	err     error
	started bool
}

func (s *shared[S]) get(t testing.TB) S {
	t.Helper()
	s.once.Do(func() {
		s.server, s.err = s.start()
		s.started = s.err == nil
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.server
}

func (s *shared[S]) close() {
	if s.started {
		if err := s.server.Close(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

func TestMain(m *testing.M) {
	if role := os.Getenv(childRole); role != "" {
		child(role)
		return
	}
	code := m.Run()
	postgres.close()
	mariadb.close()
	redis.close()
	os.Exit(code)
}

var names atomic.Int64

func newName() string { return fmt.Sprintf("t%d", names.Add(1)) }

// database is an address, and how to open it.
type database struct{ Dialect, DSN string }

// connect opens the database; h may be nil.
func (d database) connect(h hook) *sql.DB {
	drivers := map[string]driver.Driver{
		outbox.Postgres: stdlib.GetDefaultDriver(),
		outbox.MySQL:    mysqlDriver(),
		outbox.SQLite:   &sqlite.Driver{},
	}
	if h == nil {
		h = func(string) {}
	}
	// This driver of MySQL races when a context ends in the middle of a statement.
	db := sql.OpenDB(hookedDriver{drivers[d.Dialect], d.DSN, h, d.Dialect == outbox.MySQL})
	if d.Dialect == outbox.SQLite {
		db.SetMaxOpenConns(1)
	}
	return db
}

// mysqlDriver is registered, and its type has no name outside of its package.
func mysqlDriver() driver.Driver {
	db, err := sql.Open("mysql", "root@127.0.0.1/none")
	if err != nil {
		panic(err)
	}
	return db.Driver()
}

// onEach runs a test in parallel on a new database of each kind.
func onEach(t *testing.T, test func(t *testing.T, d database)) {
	for _, dialect := range []string{outbox.Postgres, outbox.MySQL, outbox.SQLite} {
		t.Run(dialect, func(t *testing.T) {
			t.Parallel()
			test(t, newDatabase(t, dialect))
		})
	}
}

func newDatabase(t testing.TB, dialect string) database {
	t.Helper()
	name := newName()
	var server database
	switch dialect {
	case outbox.SQLite:
		return database{dialect, "file:" + filepath.Join(t.TempDir(), "db") + "?_txlock=immediate&_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"}
	case outbox.MySQL:
		server = database{dialect, "root@" + mariadb.get(t).Addr + "/test"}
	default:
		server = database{dialect, postgres.get(t).DSN}
	}
	db := server.connect(nil)
	defer db.Close()
	if _, err := db.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	server.DSN = strings.Replace(strings.Replace(server.DSN, "/postgres?", "/"+name+"?", 1), "/test", "/"+name, 1)
	return server
}
