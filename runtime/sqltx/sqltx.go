// Package sqltx runs database transactions whose writes are told to a cache as one: marked
// right before COMMIT, posted right after it.
//
//	err := sqltx.Run(ctx, cache, db, nil, func(ctx context.Context, tx *sql.Tx) error {
//		if _, err := books.Rename(ctx, 7, "Emma"); err != nil {
//			return err
//		}
//		_, err := orders.Place(ctx, o)
//		return err
//	})
//
// The context handed to the body carries the transaction and the unit of work: repositories
// find the first with From, their cached wrappers the second by themselves. Inside, reads go
// to the source.
//
// It knows no driver. Run takes a *sql.DB or *sql.Conn, Runx a *sqlx.DB; for anything else
// use cachert.Cache.Begin, Mark, Post and Discard directly.
package sqltx

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// Tx is a transaction, such as *sql.Tx and *sqlx.Tx.
type Tx interface {
	Commit() error
	Rollback() error
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// DB begins transactions, as *sql.DB and *sql.Conn do.
type DB[T Tx] interface {
	BeginTx(ctx context.Context, opts *sql.TxOptions) (T, error)
}

// DBx begins transactions, as *sqlx.DB does.
type DBx[T Tx] interface {
	BeginTxx(ctx context.Context, opts *sql.TxOptions) (T, error)
}

// Options of a transaction. The zero value and nil are the defaults.
type Options struct {
	sql.TxOptions
	// NotTold is called when the transaction was committed and the cache could not be told
	// yet; the invalidation is journalled. Default: it is counted in Stats only. It never
	// makes Run fail.
	NotTold func(error)
}

// Run calls body inside a transaction, commits when it returns nil and rolls back when it
// returns an error or panics. It returns the body's error, the commit's, or one that wraps
// cachert.ErrRefused when some write is refused because the store cannot be told; then the
// transaction was rolled back.
//
// When ctx already carries a transaction of the same type, body runs inside a savepoint of it;
// opts are those of the outer transaction then. When ctx carries a unit of work of cache that
// somebody else began, the writes belong to that one: they are marked before this transaction's
// COMMIT, and told when whoever began the unit ends it. A nil cache makes it a plain transaction,
// in which cached writes must not be called.
func Run[T Tx](ctx context.Context, cache *cachert.Cache, db DB[T], opts *Options, body func(ctx context.Context, tx T) error) error {
	return run(ctx, cache, db.BeginTx, opts, body)
}

// Runx is Run for sqlx.
func Runx[T Tx](ctx context.Context, cache *cachert.Cache, db DBx[T], opts *Options, body func(ctx context.Context, tx T) error) error {
	return run(ctx, cache, db.BeginTxx, opts, body)
}

type txKey[T Tx] struct{}

// current is the transaction that a context carries.
type current[T Tx] struct {
	tx    T
	unit  *cachert.Unit
	depth int
}

// From returns the transaction that ctx carries; false outside of Run.
func From[T Tx](ctx context.Context) (T, bool) {
	c, ok := ctx.Value(txKey[T]{}).(*current[T])
	if !ok {
		var none T
		return none, false
	}
	return c.tx, true
}

func run[T Tx](ctx context.Context, cache *cachert.Cache, begin func(context.Context, *sql.TxOptions) (T, error), opts *Options, body func(context.Context, T) error) error {
	if opts == nil {
		opts = &Options{}
	}
	if outer, ok := ctx.Value(txKey[T]{}).(*current[T]); ok {
		if cache != nil && !cache.InUnit(ctx) {
			return errors.New("sqltx: the outer transaction began without this cache, which could not be told of its commit")
		}
		return nested(ctx, outer, body)
	}
	if cache == nil || !cache.InUnit(ctx) {
		return alone(ctx, cache, begin, opts, body)
	}
	// The unit is somebody else's, who ends it. This transaction is committed before that.
	_, unit := cache.Begin(ctx)
	return cache.Transact(ctx, func(ctx context.Context, marked func(context.Context) error) error {
		return alone(ctx, nil, begin, opts, func(ctx context.Context, tx T) error {
			return marked(cachert.WithTx(context.WithValue(ctx, txKey[T]{}, &current[T]{tx: tx, unit: unit}), tx))
		})
	}, func(ctx context.Context) error {
		tx, _ := From[T](ctx)
		return body(ctx, tx)
	})
}

// alone runs body inside a transaction and, where there is a cache, a unit of work of its own.
func alone[T Tx](ctx context.Context, cache *cachert.Cache, begin func(context.Context, *sql.TxOptions) (T, error), opts *Options, body func(context.Context, T) error) (err error) {
	tx, err := begin(ctx, &opts.TxOptions)
	if err != nil {
		return err
	}
	var unit *cachert.Unit
	if cache != nil {
		ctx, unit = cache.Begin(ctx)
	}
	committing, committed := false, false
	defer func() {
		if committing {
			if !committed { // a panic
				unit.Lost()
			}
			return
		}
		if rollback := tx.Rollback(); rollback != nil && !errors.Is(rollback, sql.ErrTxDone) {
			err = errors.Join(err, fmt.Errorf("sqltx: rollback: %w", rollback))
		}
		unit.Discard()
	}()
	if err := body(context.WithValue(ctx, txKey[T]{}, &current[T]{tx: tx, unit: unit}), tx); err != nil {
		return err
	}
	if err := unit.MarkTx(tx); err != nil {
		return err
	}
	committing = true
	err = tx.Commit()
	committed = true
	if told := unit.Post(err); told != nil && opts.NotTold != nil {
		opts.NotTold(told)
	}
	return err
}

// nested runs body inside a savepoint.
func nested[T Tx](ctx context.Context, outer *current[T], body func(context.Context, T) error) (err error) {
	inner := &current[T]{tx: outer.tx, unit: outer.unit, depth: outer.depth + 1}
	name := fmt.Sprintf("cachegen_%d", inner.depth)
	if _, err := inner.tx.ExecContext(ctx, "SAVEPOINT "+name); err != nil {
		return err
	}
	forget := inner.unit.Savepoint()
	done := false
	defer func() {
		if done {
			return
		}
		forget()
		if _, back := inner.tx.ExecContext(context.WithoutCancel(ctx), "ROLLBACK TO SAVEPOINT "+name); back != nil {
			err = errors.Join(err, fmt.Errorf("sqltx: rollback to savepoint: %w", back))
		}
	}()
	if err := body(context.WithValue(ctx, txKey[T]{}, inner), inner.tx); err != nil {
		return err
	}
	if _, err := inner.tx.ExecContext(ctx, "RELEASE SAVEPOINT "+name); err != nil {
		return err
	}
	done = true
	return nil
}
