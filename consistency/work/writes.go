package work

import (
	"context"
	"database/sql"
	"errors"

	"github.com/cachegen/cachegen/consistency/items"
	"github.com/cachegen/cachegen/consistency/source"
	"github.com/cachegen/cachegen/runtime/cachecheck"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// change makes one random write that may touch item id.
func (w *Worker) change(ctx context.Context, op *cachecheck.Op, id int64) {
	if one(op.Rand, w.config.Abort) {
		ctx = context.WithValue(ctx, abortKey{}, true)
	}
	switch n := op.Rand.IntN(100); {
	case n < 70 || w.config.Rows:
		w.update(ctx, op, id)
	case n < 78:
		w.create(ctx, op, id)
	case n < 86:
		w.remove(ctx, op, id)
	case n < 90:
		w.move(ctx, op, id)
	default:
		w.pair(ctx, op, id, w.pick(op.Rand))
	}
}

func (w *Worker) update(ctx context.Context, op *cachecheck.Op, id int64) {
	value := int64(op.Token())
	op.Begin(item(id), false)
	it, err := w.layer.Update(ctx, id, value)
	w.wrote(op, it, id, err)
}

// wrote records what a write made of a row.
func (w *Worker) wrote(op *cachecheck.Op, it *items.Item, id int64, err error) {
	if err == nil {
		op.Wrote(item(id), uint64(it.Version), uint64(it.Value))
		return
	}
	op.Fail(item(id), false, outcome(op, err))
}

// outcome is what an error means, ours included, and counts the kinds worth counting.
func outcome(op *cachecheck.Op, err error) cachecheck.Outcome {
	o := source.Outcome(err)
	switch {
	case errors.Is(err, cachert.ErrRefused):
		return cachecheck.Failed
	case errors.Is(err, source.ErrRolledBack):
		op.Note(RolledBack, 1)
	case o == cachecheck.Failed && !errors.Is(err, items.ErrNotFound) && !errors.Is(err, items.ErrExists):
		op.Note(Conflict, 1)
	}
	return o
}

func (w *Worker) shelf(op *cachecheck.Op, id int64) int64 {
	shelves := int64(w.config.Items+source.PerShelf-1) / source.PerShelf
	near := (id-1)/source.PerShelf + 1
	return (near+op.Rand.Int64N(3))%shelves + 1
}

// touched records the lists and the index entry.
func touched(op *cachecheck.Op, t items.Touched, gone bool) {
	for _, c := range []items.Count{t.Shelf, t.Left} {
		if c.ID != 0 {
			op.Wrote(source.ShelfObject|uint64(c.ID), uint64(c.Version), 0)
		}
	}
	name := source.NameObject | uint64(t.Name.ID)
	switch {
	case t.Name.ID == 0:
	case gone:
		op.Removed(name, uint64(t.Name.Version))
	default:
		op.Wrote(name, uint64(t.Name.Version), 0)
	}
}

func (w *Worker) create(ctx context.Context, op *cachecheck.Op, id int64) {
	value, shelf, name := int64(op.Token()), w.shelf(op, id), source.NameObject|uint64(id)
	op.Begin(item(id), false)
	op.Begin(name, false)
	it, t, err := w.layer.Create(ctx, id, shelf, id, value)
	if err == nil {
		w.wrote(op, it, id, nil)
		touched(op, t, false)
		return
	}
	o := outcome(op, err)
	op.Fail(item(id), false, o)
	op.Fail(name, false, o)
}

func (w *Worker) move(ctx context.Context, op *cachecheck.Op, id int64) {
	value := int64(op.Token())
	op.Begin(item(id), false)
	it, t, err := w.layer.Move(ctx, id, w.shelf(op, id), value)
	w.wrote(op, it, id, err)
	if err == nil {
		touched(op, t, false)
	}
}

func (w *Worker) remove(ctx context.Context, op *cachecheck.Op, id int64) {
	name := source.NameObject | uint64(id)
	op.Begin(item(id), true)
	op.Begin(name, true)
	version, t, err := w.layer.Delete(ctx, id)
	if err == nil {
		op.Removed(item(id), uint64(version))
		touched(op, t, true)
		return
	}
	o := outcome(op, err)
	op.Fail(item(id), true, o)
	op.Fail(name, true, o)
}

// pair updates two items in one transaction, in no order, so that some end in a conflict.
func (w *Worker) pair(ctx context.Context, op *cachecheck.Op, a, b int64) {
	opts := &sql.TxOptions{}
	if op.Rand.IntN(2) == 0 && w.config.isPostgres() {
		opts = serializable
	}
	ids, wrote := []int64{a, b}, [2]*items.Item{}
	if a == b {
		ids = ids[:1]
	}
	for _, id := range ids {
		op.Begin(item(id), false)
	}
	value := int64(op.Token())
	err := w.layer.Atomically(ctx, opts, func(ctx context.Context) (err error) {
		for i, id := range ids {
			if wrote[i], err = w.layer.Update(ctx, id, value); err != nil {
				return err
			}
		}
		return w.sourceStep(ctx, "commit")
	})
	for i, id := range ids {
		w.wrote(op, wrote[i], id, err)
	}
}
