package databases

import (
	"context"
	"database/sql"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/outbox"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// A row is committed or rolled back with its transaction, and goes when the store was told.
func TestRowsComeAndGoWithTheirTransaction(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, OnError: cachert.OnErrorOutbox, Grace: time.Hour})
		failed := errors.New("no")
		var inside int
		count := func(ctx context.Context, tx *sql.Tx) int {
			n := 0
			if err := tx.QueryRowContext(ctx, "SELECT COUNT(*) FROM cachegen_outbox").Scan(&n); err != nil {
				t.Error(err)
			}
			return n
		}
		// The body of Transact is what ends right before the row is written; the function
		// around it is what runs right before COMMIT.
		run := func(end error) error {
			return k.cache.Transact(t.Context(), func(ctx context.Context, body func(context.Context) error) error {
				return sqltx.Run(ctx, nil, k.db, nil, func(ctx context.Context, tx *sql.Tx) error {
					if err := body(cachert.WithTx(ctx, tx)); err != nil {
						return err
					}
					inside = count(ctx, tx)
					return end
				})
			}, k.add)
		}
		if err := run(failed); !errors.Is(err, failed) {
			t.Fatal(err)
		}
		if inside != 1 || k.rows(t) != 0 {
			t.Errorf("%d rows before a rollback and %d after it, want 1 and 0", inside, k.rows(t))
		}
		k.wants(t, 1, "after a rollback")
		if err := run(nil); err != nil {
			t.Fatal(err)
		}
		if inside != 1 {
			t.Errorf("%d rows before COMMIT", inside)
		}
		k.Lone = false
		for _, lone := range []bool{false, true} {
			k.Lone = lone
			if err := k.change(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
		k.wants(t, 4, "after all writes")
		until(t, "the rows to go", func() bool { return k.rows(t) == 0 })
		if s := k.box.Stats(); s.Added != 4 || s.Delivered != 0 || s.LeftBehind != 0 {
			t.Errorf("%+v", s)
		}
	})
}

// Without the table no write happens, and the error says what to do.
func TestTheTableIsMissing(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, OnError: cachert.OnErrorOutbox})
		if err := k.box.Check(t.Context()); err != nil {
			t.Fatal(err)
		}
		k.exec(t, "DROP TABLE cachegen_outbox")
		cure := "cachegen outbox -dialect " + d.Dialect
		if err := k.box.Check(t.Context()); err == nil || !strings.Contains(err.Error(), cure) {
			t.Errorf("Check: %v, want %q", err, cure)
		}
		for _, lone := range []bool{false, true} {
			k.Lone = lone
			if err := k.change(t.Context()); !errors.Is(err, cachert.ErrRefused) || !strings.Contains(err.Error(), cure) {
				t.Errorf("by itself %v: %v, want ErrRefused and %q", lone, err, cure)
			}
		}
		k.wants(t, 1, "after refused writes")
		if n := k.box.Stats().Refused; n != 2 {
			t.Errorf("%d refused", n)
		}
	})
}

// The store is down: writes go on, and rows stay until it is told.
func TestWritesGoOnWithoutTheStore(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d, Redis: unusedAddr(t), Level: cachert.LevelStrict, OnError: cachert.OnErrorOutbox})
		for _, lone := range []bool{false, true} {
			k.Lone = lone
			if err := k.change(t.Context()); err != nil {
				t.Errorf("by itself %v: %v", lone, err)
			}
		}
		if n := k.rows(t); n != 2 {
			t.Errorf("%d rows, want 2", n)
		}
		k.wants(t, 3, "from the source")
	})
}

// A unit of work that does not know its transaction commits its row by itself, before.
func TestUnitWithoutItsTransaction(t *testing.T) {
	for _, dialect := range []string{outbox.Postgres, outbox.MySQL} {
		t.Run(dialect, func(t *testing.T) {
			k := newCounter(t, config{Database: newDatabase(t, dialect), OnError: cachert.OnErrorOutbox, Grace: time.Hour})
			ctx, unit := k.cache.Begin(t.Context())
			if err := k.add(ctx); err != nil {
				t.Fatal(err)
			}
			if err := unit.Mark(); err != nil {
				t.Fatal(err)
			}
			if n := k.rows(t); n != 1 {
				t.Errorf("%d rows after Mark, want 1", n)
			}
			if err := unit.Post(nil); err != nil {
				t.Fatal(err)
			}
			until(t, "the row to go", func() bool { return k.rows(t) == 0 })
		})
	}
}
