package outbox

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// Keys are bytes: any come back as they were, and what is no list of keys is refused.
func FuzzCells(f *testing.F) {
	for _, cell := range []string{"shop:{books/book:7}", "", "\xff\xfe\"é'\\\x00", "\u2028"} {
		f.Add(cell)
	}
	f.Fuzz(func(t *testing.T, cell string) {
		text, err := encode([]string{cell, "other"})
		if err != nil {
			t.Fatal(err)
		}
		if got, err := decode(text); err != nil || !slices.Equal(got, []string{cell, "other"}) {
			t.Errorf("%q became %q, %v", cell, got, err)
		}
		if got, err := decode(cell); err == nil && len(got) == 0 {
			t.Errorf("%q is a list of nothing", cell)
		}
	})
}

func TestOptions(t *testing.T) {
	listen := func(context.Context, string, func()) error { return nil }
	for want, o := range map[string]Options{
		"dialect \"\" is not known":     {},
		"table \"a b\"":                 {Dialect: Postgres, Table: "a b"},
		"must not be negative":          {Dialect: MySQL, Grace: -time.Second},
		"Listen is for PostgreSQL only": {Dialect: SQLite, Listen: listen},
	} {
		if _, err := New(nil, o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v, want %q", o, err, want)
		}
	}
}

// A transaction of a driver's own needs Exec; a notification goes out with the row unless
// that is unwanted.
func TestInsert(t *testing.T) {
	type tx struct{}
	var queries []string
	row := cachert.OutboxRow{ID: "1", Namespace: "shop", Cells: []string{"shop:{*}"}, Lease: 2 * time.Second}
	o := Options{Dialect: Postgres, Table: "app.Outbox", Exec: func(_ context.Context, to any, query string, args ...any) (bool, error) {
		if _, ok := to.(tx); !ok {
			return false, nil
		}
		queries = append(queries, query)
		if args[3] != int64(3000) {
			t.Errorf("due in %v ms, want the lease and the grace", args[3])
		}
		return true, nil
	}}
	for _, o.Quiet = range []bool{false, true} {
		b, err := New(nil, o)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.Add(t.Context(), tx{}, row); err != nil {
			t.Error(err)
		}
		if err := b.Add(t.Context(), 7, row); err == nil || !strings.Contains(err.Error(), "through a int: set Exec") {
			t.Errorf("%v", err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	}
	if n := "RETURNING pg_notify('app_outbox', namespace)"; !strings.HasSuffix(queries[0], n) || strings.Contains(queries[1], "notify") {
		t.Errorf("%q", queries)
	}
}

// unreachable is a database that is gone; it counts who tries.
type unreachable struct{ tries int }

func (u *unreachable) Connect(context.Context) (driver.Conn, error) {
	u.tries++
	return nil, errors.New("gone")
}

func (u *unreachable) Driver() driver.Driver { return nil }

// 1. the database hangs, and ten thousand rows wait to be deleted
// 2. the outbox is closed: a hundred statements would take Timeout each
func TestCloseDoesNotTryForEver(t *testing.T) {
	gone := &unreachable{}
	db := sql.OpenDB(gone)
	defer db.Close()
	b, err := New(db, Options{Dialect: SQLite, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Close(); err != nil {
		t.Fatal(err)
	}
	b.Delivered(make([]string, maxDone))
	b.deleteDone()
	if gone.tries != 1 || b.Stats().LeftBehind != maxDone {
		t.Errorf("%d tries, %d rows counted as left behind, want 1 and %d", gone.tries, b.Stats().LeftBehind, maxDone)
	}
}

// Some drivers call back on a goroutine of their own, also while Listen returns. Under the race
// detector.
func TestWakeFromAnotherGoroutine(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan struct{})
	calls := 0
	b, err := New(nil, Options{Dialect: Postgres, Logger: slog.New(slog.DiscardHandler), Listen: func(_ context.Context, _ string, wake func()) error {
		if calls++; calls > 1 {
			cancel()
			return nil
		}
		go func() {
			defer close(heard)
			wake()
		}()
		return errors.New("lost")
	}})
	if err != nil {
		t.Fatal(err)
	}
	wake := make(chan struct{}, 1)
	b.listen(ctx, wake)
	<-heard
	if err := b.Close(); err != nil || len(wake) != 1 || calls != 2 {
		t.Errorf("%v, %d wakes, %d calls", err, len(wake), calls)
	}
}
