package databases

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/outbox"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// session returns one session of a database with settings, as a DSN would make it.
func session(t *testing.T, d database, set url.Values) *sql.Conn {
	t.Helper()
	db := d.connect(nil)
	t.Cleanup(func() { _ = db.Close() })
	conn, err := db.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	for name, values := range set {
		if _, err := conn.ExecContext(t.Context(), fmt.Sprintf("SET SESSION %s = %s", name, values[0])); err != nil {
			t.Fatal(err)
		}
	}
	return conn
}

func degraded(t *testing.T, db sqltx.Queryer, dialect string, lease time.Duration) (codes []string) {
	t.Helper()
	findings, err := sqltx.Limits(t.Context(), db, dialect, lease)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range findings {
		if f.Degraded {
			codes = append(codes, f.Code)
		}
	}
	return codes
}

// What a database does not bound by itself is found, and with Settings nothing is.
func TestLimits(t *testing.T) {
	const lease = 10 * time.Second
	for kind, want := range map[string][]string{
		"postgres": {"idle_in_transaction_session_timeout", "statement_timeout"},
		"mariadb":  {"idle_transaction_timeout", "max_statement_time"},
		"mysql":    {"idle_transaction_timeout", "max_statement_time"}, // its settings, on MariaDB
		"sqlite":   nil,
	} {
		t.Run(kind, func(t *testing.T) {
			dialect := strings.Replace(kind, "mariadb", "mysql", 1)
			d := newDatabase(t, dialect)
			if got := degraded(t, session(t, d, nil), dialect, lease); !slices.Equal(got, want) {
				t.Errorf("found %v, want %v", got, want)
			}
			rest := []string(nil)
			if kind == "mysql" {
				rest = want[1:] // MySQL cannot bound statements
			}
			safe := session(t, d, sqltx.Settings(kind, lease))
			if got := degraded(t, safe, dialect, lease); !slices.Equal(got, rest) {
				t.Errorf("found %v with Settings, want %v", got, rest)
			}
			if got := degraded(t, safe, dialect, lease/2); !slices.Equal(got, want) {
				t.Errorf("found %v for a shorter lease, want %v", got, want)
			}
		})
	}
	if _, err := sqltx.Limits(t.Context(), session(t, newDatabase(t, outbox.SQLite), nil), "sqlite", sqltx.Margin); err == nil {
		t.Error("a lease of nothing but the margin is no error")
	}
	if _, err := sqltx.Limits(t.Context(), nil, "oracle", lease); err == nil {
		t.Error("an unknown dialect is no error")
	}
}

// A COMMIT that comes later than the limit is refused, and what it would have committed is
// not there. The database itself says when it has given up on the transaction.
func TestLateCommitIsRefused(t *testing.T) {
	for _, kind := range []string{"postgres", "mariadb", "mysql"} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			d := newDatabase(t, strings.Replace(kind, "mariadb", "mysql", 1))
			k := newCounter(t, config{Database: d})
			conn := session(t, d, sqltx.Settings(kind, sqltx.Margin+time.Second))
			id, running := "SELECT pg_backend_pid()", "SELECT COUNT(*) FROM pg_stat_activity WHERE pid = $1"
			if d.Dialect == outbox.MySQL {
				id, running = "SELECT CONNECTION_ID()", "SELECT COUNT(*) FROM information_schema.processlist WHERE id = ?"
			}
			var session int64
			if err := conn.QueryRowContext(t.Context(), id).Scan(&session); err != nil {
				t.Fatal(err)
			}
			tx, err := conn.BeginTx(context.WithoutCancel(t.Context()), nil)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.ExecContext(t.Context(), "UPDATE counter SET n = 9"); err != nil {
				t.Fatal(err)
			}
			idle := time.Now()
			until(t, "the end of the session", func() bool {
				var n int
				if err := k.db.QueryRowContext(t.Context(), running, session).Scan(&n); err != nil {
					t.Fatal(err)
				}
				return n == 0
			})
			t.Logf("ended after %v", time.Since(idle).Round(time.Millisecond))
			if err := tx.Commit(); err == nil {
				t.Error("a late COMMIT went through")
			}
			if n, err := k.source(t.Context()); n != 1 || err != nil {
				t.Errorf("%d, %v after a refused COMMIT, want 1", n, err)
			}
		})
	}
}
