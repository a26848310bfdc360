// Package source keeps items in PostgreSQL or SQLite. Every state of a row, a list and an index
// entry has a version that the database counts inside the statement or the transaction.
package source

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"

	_ "github.com/jackc/pgx/v5/stdlib" // driver "pgx"
	_ "modernc.org/sqlite"             // driver "sqlite"

	"github.com/cachegen/cachegen/consistency/items"
	"github.com/cachegen/cachegen/runtime/cachecheck"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// Source is items.Items on a database. It is safe for concurrent use.
type Source struct {
	read, write *sql.DB // the same for PostgreSQL
	// Step, if not nil, is called between any two steps that reach the database. Its error ends
	// a transaction before COMMIT, which is rolled back then.
	Step func(ctx context.Context, step string) error
}

var _ items.Items = (*Source)(nil)

// Objects: one kind of object in the upper bits, its id in the lower ones.
const (
	ItemObject uint64 = (iota + 1) << 56
	ShelfObject
	NameObject
)

// Limits bound what the database may still commit after a call: a statement takes at most a
// second, and so does the pause between two in a transaction. The lease must be longer.
const Limits = "statement_timeout=1000&idle_in_transaction_session_timeout=1000"

// Open opens a database: postgres://... or the name of a SQLite file.
func Open(address string) (*Source, error) {
	if strings.HasPrefix(address, "postgres://") {
		db, err := sql.Open("pgx", address+"&"+Limits)
		if err != nil {
			return nil, fmt.Errorf("source: %w", err)
		}
		db.SetMaxOpenConns(12)
		db.SetMaxIdleConns(12)
		return &Source{read: db, write: db}, nil
	}
	dsn := "file:" + address + "?_txlock=immediate&_pragma=busy_timeout(2000)&_pragma=journal_mode(wal)&_pragma=synchronous(off)"
	s := &Source{}
	var err error
	if s.write, err = sql.Open("sqlite", dsn); err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	if s.read, err = sql.Open("sqlite", dsn); err != nil {
		return nil, errors.Join(fmt.Errorf("source: %w", err), s.write.Close())
	}
	s.write.SetMaxOpenConns(1)
	s.read.SetMaxOpenConns(4)
	s.read.SetMaxIdleConns(4)
	return s, nil
}

// Close closes the connections.
func (s *Source) Close() error {
	if s.read == s.write {
		return s.write.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// DB is where transactions begin.
func (s *Source) DB() *sql.DB { return s.write }

const schema = `
CREATE TABLE IF NOT EXISTS items (id BIGINT PRIMARY KEY, shelf BIGINT NOT NULL, name BIGINT NOT NULL,
	version BIGINT NOT NULL, value BIGINT NOT NULL, gone BOOLEAN NOT NULL);
CREATE INDEX IF NOT EXISTS items_shelf ON items (shelf);
CREATE INDEX IF NOT EXISTS items_name ON items (name);
CREATE TABLE IF NOT EXISTS shelves (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
CREATE TABLE IF NOT EXISTS names (id BIGINT PRIMARY KEY, version BIGINT NOT NULL);
DELETE FROM items; DELETE FROM shelves; DELETE FROM names;`

// PerShelf is how many items stand on a shelf in the beginning.
const PerShelf = 4

// Fill makes the tables anew, with items 1 to n: every fifth one is not there, and has a version
// all the same. The name of an item is its id.
func (s *Source) Fill(ctx context.Context, n int) error {
	for statement := range strings.SplitSeq(schema, ";") {
		if strings.TrimSpace(statement) == "" {
			continue
		}
		if _, err := s.write.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("source: %w", err)
		}
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // after COMMIT it does nothing
	for id := 1; id <= n; id++ {
		_, err := tx.ExecContext(ctx, "INSERT INTO items VALUES ($1, $2, $3, 1, $4, $5)", id, (id-1)/PerShelf+1, id, id, id%5 == 0)
		if err == nil {
			_, err = tx.ExecContext(ctx, "INSERT INTO names VALUES ($1, 1)", id)
		}
		if err == nil && (id-1)%PerShelf == 0 {
			_, err = tx.ExecContext(ctx, "INSERT INTO shelves VALUES ($1, 1)", (id-1)/PerShelf+1)
		}
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("source: %w", err)
	}
	return nil
}

// State is what the database holds of every object.
func (s *Source) State(ctx context.Context) (map[uint64]cachecheck.State, error) {
	states := map[uint64]cachecheck.State{}
	collect := func(kind uint64, query string) error {
		rows, err := s.read.QueryContext(ctx, query)
		if err != nil {
			return fmt.Errorf("source: %w", err)
		}
		defer rows.Close()
		for rows.Next() {
			var id uint64
			var st cachecheck.State
			if err := rows.Scan(&id, &st.Version, &st.Value, &st.Present); err != nil {
				return fmt.Errorf("source: %w", err)
			}
			states[kind|id] = st
		}
		return rows.Err()
	}
	return states, errors.Join(
		collect(ItemObject, "SELECT id, version, value, NOT gone FROM items"),
		collect(ShelfObject, "SELECT id, version, 0, true FROM shelves"),
		collect(NameObject, "SELECT n.id, n.version, 0, i.id IS NOT NULL FROM names n LEFT JOIN items i ON i.name = n.id AND NOT i.gone"),
	)
}

type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// reader is the transaction that ctx carries, or the database.
func (s *Source) reader(ctx context.Context) querier {
	if tx, ok := sqltx.From[*sql.Tx](ctx); ok {
		return tx
	}
	return s.read
}

func (s *Source) step(ctx context.Context, name string) error {
	if s.Step == nil {
		return nil
	}
	return s.Step(ctx, name)
}
