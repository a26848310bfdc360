package outbox

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/store"
)

// postponement is how long a row that the store has refused waits for its next try.
const postponement = 10 * time.Second

// deliver tells the cache of rows, all at once, and returns the ids of those it was told of.
// When that fails each row is tried alone, so that one which the store refuses does not keep
// the others. That ends after half of Timeout, and the rest is left to the next pass: it would
// otherwise be rolled back for being late, again and again. When the store is down nothing is
// changed.
func (b *Outbox) deliver(ctx context.Context, db conversation, cache Cache, rows []row) (ids []string, err error) {
	if len(rows) == 0 {
		return nil, nil
	}
	var cells []string
	for _, r := range rows {
		ids = append(ids, r.id)
		cells = append(cells, r.cells...)
	}
	readable := !slices.ContainsFunc(rows, func(r row) bool { return r.bad })
	if readable {
		slices.Sort(cells)
		err = cache.Deliver(ctx, slices.Compact(cells))
		if err == nil || gone(ctx, err) {
			return ids, err
		}
	}
	ids = nil
	enough := time.Now().Add(b.opt.Timeout / 2)
	for i, r := range rows {
		if i > 0 && time.Now().After(enough) {
			break
		}
		err := b.deliverOne(ctx, cache, r)
		switch {
		case err == nil:
			ids = append(ids, r.id)
		case gone(ctx, err):
			return nil, err
		case errors.Is(err, errCells):
			err = b.setAside(ctx, db, r)
		default:
			err = b.postpone(ctx, db, r, err)
		}
		if err != nil {
			return nil, b.explain("write", err)
		}
	}
	return ids, nil
}

// deliverOne returns errCells for a row that cannot be read. It says that something has
// changed, but not what: the whole namespace is renewed.
func (b *Outbox) deliverOne(ctx context.Context, cache Cache, r row) error {
	var err error
	if !r.bad {
		err = cache.Deliver(ctx, r.cells)
	}
	if r.bad || errors.Is(err, cachert.ErrNotACell) {
		if err := cache.Deliver(ctx, nil); err != nil {
			return err
		}
		return errCells
	}
	return err
}

// gone reports that a delivery failed for no fault of the row.
func gone(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, store.ErrDown)
}

func (b *Outbox) setAside(ctx context.Context, db conversation, r row) error {
	b.stats.setAside.Add(1)
	b.opt.Logger.Error("cachegen: a row of the outbox cannot be read: the namespace was renewed, and the row set aside", "table", b.opt.Table, "id", r.id)
	_, err := db.ExecContext(ctx, b.query.aside, r.id)
	return err
}

func (b *Outbox) postpone(ctx context.Context, db conversation, r row, cause error) error {
	b.stats.postponed.Add(1)
	b.opt.Logger.Error("cachegen: the store refuses the cells of a row of the outbox", "table", b.opt.Table, "id", r.id, "error", cause)
	_, err := db.ExecContext(ctx, b.query.later, postponement.Milliseconds(), r.id)
	return err
}
