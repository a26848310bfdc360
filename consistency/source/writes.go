package source

import (
	"context"
	"database/sql"
	"errors"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/cachegen/cachegen/consistency/items"
	"github.com/cachegen/cachegen/runtime/cachecheck"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

const returning = " RETURNING id, shelf, name, version, value"

// ErrRolledBack is what a call returns whose transaction was rolled back on purpose.
var ErrRolledBack = errors.New("source: rolled back on purpose")

// Update implements items.Items. It is one statement where ctx carries no transaction.
func (s *Source) Update(ctx context.Context, id, value int64) (*items.Item, error) {
	if err := s.step(ctx, "update"); err != nil {
		return nil, err
	}
	var on querier = s.write
	if tx, ok := sqltx.From[*sql.Tx](ctx); ok {
		on = tx
	}
	it, err := scan(on.QueryRowContext(ctx, "UPDATE items SET version = version + 1, value = $2 WHERE id = $1 AND NOT gone"+returning, id, value))
	_ = s.step(ctx, "updated")
	if err != nil {
		return nil, err
	}
	return &it, nil
}

// Create implements items.Items.
func (s *Source) Create(ctx context.Context, id, shelf, name, value int64) (it *items.Item, t items.Touched, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		created, err := scan(tx.QueryRowContext(ctx, "UPDATE items SET version = version + 1, value = $2, shelf = $3, gone = false WHERE id = $1 AND gone"+returning, id, value, shelf))
		if errors.Is(err, items.ErrNotFound) {
			err = items.ErrExists
		}
		if err == nil {
			t.Shelf, err = s.count(ctx, tx, "shelves", shelf)
		}
		if err == nil {
			t.Name, err = s.count(ctx, tx, "names", name)
		}
		it = &created
		return err
	})
	return it, t, err
}

// Move implements items.Items.
func (s *Source) Move(ctx context.Context, id, shelf, value int64) (it *items.Item, t items.Touched, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		var left int64
		err := tx.QueryRowContext(ctx, "UPDATE items SET version = version WHERE id = $1 AND NOT gone RETURNING shelf", id).Scan(&left)
		if errors.Is(err, sql.ErrNoRows) {
			return items.ErrNotFound
		}
		if err != nil {
			return err
		}
		moved, err := scan(tx.QueryRowContext(ctx, "UPDATE items SET version = version + 1, value = $2, shelf = $3 WHERE id = $1"+returning, id, value, shelf))
		if err == nil {
			t.Left, err = s.count(ctx, tx, "shelves", min(left, shelf))
		}
		if err == nil && left != shelf {
			t.Shelf, err = s.count(ctx, tx, "shelves", max(left, shelf))
		}
		it = &moved
		return err
	})
	return it, t, err
}

// Delete implements items.Items.
func (s *Source) Delete(ctx context.Context, id int64) (version int64, t items.Touched, err error) {
	err = s.within(ctx, func(tx *sql.Tx) error {
		gone, err := scan(tx.QueryRowContext(ctx, "UPDATE items SET version = version + 1, gone = true WHERE id = $1 AND NOT gone"+returning, id))
		if err == nil {
			t.Left, err = s.count(ctx, tx, "shelves", gone.Shelf)
		}
		if err == nil {
			t.Name, err = s.count(ctx, tx, "names", gone.Name)
		}
		version = gone.Version
		return err
	})
	return version, t, err
}

func (s *Source) count(ctx context.Context, tx *sql.Tx, table string, id int64) (items.Count, error) {
	if err := s.step(ctx, "count"); err != nil {
		return items.Count{}, err
	}
	c := items.Count{ID: id}
	err := tx.QueryRowContext(ctx, "UPDATE "+table+" SET version = version + 1 WHERE id = $1 RETURNING version", id).Scan(&c.Version)
	return c, err
}

// within runs body in the transaction that ctx carries, or in one of its own.
func (s *Source) within(ctx context.Context, body func(*sql.Tx) error) error {
	if tx, ok := sqltx.From[*sql.Tx](ctx); ok {
		return body(tx)
	}
	if err := s.step(ctx, "begin"); err != nil {
		return err
	}
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // after COMMIT it does nothing
	if err := body(tx); err != nil {
		return err
	}
	if err := s.step(ctx, "commit"); err != nil {
		return err
	}
	err = tx.Commit()
	_ = s.step(ctx, "committed")
	return err
}

// Outcome says what a write's error means. Only what certainly changed nothing counts as failed.
func Outcome(err error) cachecheck.Outcome {
	var pg *pgconn.PgError
	switch {
	case err == nil:
		return cachecheck.OK
	case errors.Is(err, items.ErrNotFound), errors.Is(err, items.ErrExists), errors.Is(err, ErrRolledBack):
		return cachecheck.Failed
	case errors.As(err, &pg) && (pg.Code == "40001" || pg.Code == "40P01"): // conflict, deadlock
		return cachecheck.Failed
	}
	return cachecheck.Unknown
}
