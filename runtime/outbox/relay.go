package outbox

import (
	"context"
	"database/sql"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// Cache is what a relay delivers to, as *cachert.Cache does.
type Cache interface {
	// Namespace says whose rows are taken.
	Namespace() string
	// Deliver renews cells, the whole namespace where there are none. It is called again with
	// the same cells when it failed, and may be when it did not. It has a deadline of its own.
	Deliver(ctx context.Context, cells []string) error
}

var _ Cache = (*cachert.Cache)(nil)

const (
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = time.Second
)

// Run relays: it delivers to cache the rows that are due, until ctx ends, and returns its
// error. Failures of the database and the store are counted, logged and tried again. Any
// number of relays may run at once, in any processes; one is enough.
//
// A relay may be killed at any step:
//
//	take     rows are locked (not on SQLite, where two relays may deliver the same row, and
//	         MariaDB may call a deadlock of two relays, of which one then delivers again);
//	         killed: the locks go with the connection
//	deliver  killed: delivered again by another relay, which costs a miss
//	delete   killed before the commit: the same
func (b *Outbox) Run(ctx context.Context, cache Cache) error {
	wake := make(chan struct{}, 1)
	if b.opt.Listen != nil {
		listening := make(chan struct{})
		listenCtx, stop := context.WithCancel(ctx)
		defer func() { stop(); <-listening }()
		go func() { defer close(listening); b.listen(listenCtx, wake) }()
	}
	backoff := firstBackoff
	for {
		wait, err := b.pass(ctx, cache)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			b.stats.failures.Add(1)
			b.opt.Logger.Warn("cachegen: the outbox relay failed, it will try again", "error", err)
			wait = backoff/2 + rand.N(backoff/2+1)
			backoff = min(2*backoff, maxBackoff)
		} else {
			backoff = firstBackoff
		}
		if err := b.sleep(ctx, wait, wake); err != nil {
			return err
		}
	}
}

// sleep waits for the next pass. A notification brings it forward only so far that the row
// notified of is due, however many follow: else each commit would cost a look.
func (b *Outbox) sleep(ctx context.Context, wait time.Duration, wake <-chan struct{}) error {
	end := time.Now().Add(wait)
	timer := time.NewTimer(wait)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
			return nil
		case <-wake:
			if due := time.Now().Add(b.opt.Grace); due.Before(end) {
				end = due
				timer.Reset(b.opt.Grace)
			}
		}
	}
}

// listen keeps Options.Listen going. What was notified while nothing listened is found by the
// wake that each new beginning causes.
func (b *Outbox) listen(ctx context.Context, wake chan<- struct{}) {
	backoff := firstBackoff
	var heard atomic.Bool // since the last failure
	for ctx.Err() == nil {
		err := b.opt.Listen(ctx, channel(b.opt.Table), func() {
			b.stats.wakes.Add(1)
			heard.Store(true)
			select {
			case wake <- struct{}{}:
			default:
			}
		})
		if ctx.Err() != nil {
			return
		}
		if heard.Swap(false) {
			backoff = firstBackoff
		}
		b.opt.Logger.Warn("cachegen: the outbox relay listens no longer, it will try again", "error", err)
		select {
		case <-ctx.Done():
		case <-time.After(backoff):
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// row is one row taken.
type row struct {
	id    string
	cells []string
	bad   bool // cannot be read
}

// conversation is the database inside the transaction of a pass, or outside of any.
type conversation interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// pass delivers one batch. It returns how long to wait for the next pass.
func (b *Outbox) pass(ctx context.Context, cache Cache) (wait time.Duration, err error) {
	b.stats.passes.Add(1)
	ctx, cancel := context.WithTimeout(ctx, b.opt.Timeout)
	defer cancel()
	if !b.query.locks {
		return b.work(ctx, b.db, cache)
	}
	// Read committed: stricter levels of MySQL lock the gaps between rows, too, and writers
	// would wait for the relay.
	tx, err := b.db.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if err != nil {
		return 0, b.explain("read", err)
	}
	defer func() { _ = tx.Rollback() }() // after Commit it does nothing
	if wait, err = b.work(ctx, tx, cache); err != nil {
		return 0, err
	}
	return wait, b.explain("write", tx.Commit())
}

func (b *Outbox) work(ctx context.Context, db conversation, cache Cache) (wait time.Duration, err error) {
	rows, err := b.take(ctx, db, cache.Namespace())
	if err != nil {
		return 0, b.explain("read", err)
	}
	delivered, err := b.deliver(ctx, db, cache, rows)
	if err != nil {
		return 0, err
	}
	if len(delivered) > 0 {
		if _, err := db.ExecContext(ctx, b.query.delete(len(delivered)), asArgs(delivered)...); err != nil {
			return 0, b.explain("write", err)
		}
		b.stats.delivered.Add(uint64(len(delivered)))
	}
	if len(rows) == b.opt.Batch {
		return 0, nil
	}
	return b.next(ctx, db, cache.Namespace())
}

func (b *Outbox) take(ctx context.Context, db conversation, namespace string) (taken []row, err error) {
	rows, err := db.QueryContext(ctx, b.query.take, namespace, b.opt.Batch)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var r row
		var text string
		if err := rows.Scan(&r.id, &text); err != nil {
			return nil, err
		}
		r.cells, err = decode(text)
		r.bad = err != nil
		taken = append(taken, r)
	}
	return taken, rows.Err()
}

// next is how long to wait until a row is due. What is due already is in the hands of another
// relay, whose end is not known.
func (b *Outbox) next(ctx context.Context, db conversation, namespace string) (time.Duration, error) {
	var ms sql.NullInt64
	if err := db.QueryRowContext(ctx, b.query.next, namespace).Scan(&ms); err != nil {
		return 0, b.explain("read", err)
	}
	wait := b.opt.Poll
	switch {
	case ms.Valid && ms.Int64 <= 0:
		wait = min(wait, b.opt.Grace)
	case ms.Valid && ms.Int64 < wait.Milliseconds():
		wait = time.Duration(ms.Int64) * time.Millisecond
	}
	return wait, nil
}
