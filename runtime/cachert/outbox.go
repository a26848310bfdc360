package cachert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Outbox keeps invalidations in the database of the writes until they have been delivered,
// for writes with OnErrorOutbox: a process that dies takes its journal along, and a row
// stays. Package outbox implements it. All methods are safe for concurrent use.
type Outbox interface {
	// Add writes a row. Through tx it is committed with the transaction or not at all; where
	// tx is nil it is committed when Add returns. After an error it may have been written.
	Add(ctx context.Context, tx any, row OutboxRow) error
	// Delivered says that rows are needed no longer. It does not block, and may fail to
	// delete some: a row left behind costs a needless invalidation.
	Delivered(ids []string)
}

// OutboxRow is an invalidation on its way.
type OutboxRow struct {
	// ID is unique: letters and digits.
	ID        string
	Namespace string
	// Cells are the keys of the cells to be renewed. Their bytes are not always UTF-8.
	Cells []string
	// Lease is how long the write may last that the row stands for, 0 when it ends with the
	// transaction the row is written through. Until then renewing the cells would be too
	// early: the commit may follow.
	Lease time.Duration
}

// ErrNotACell reports a key that is not the key of a cell in the namespace of the Cache.
var ErrNotACell = errors.New("cachegen: not a cell of this namespace")

// Namespace returns the namespace of the Cache.
func (c *Cache) Namespace() string { return c.opt.Namespace }

// Deliver gives the cells of an OutboxRow new generations, and without cells the namespace: once,
// without a journal. Doing it again does no harm. The error wraps store.ErrDown when the store
// cannot be reached, and ErrNotACell, before anything is done, when a key does not belong here.
func (c *Cache) Deliver(ctx context.Context, cells []string) error {
	for _, cell := range cells {
		if !c.keys.isCell(cell) {
			return fmt.Errorf("%w: %q", ErrNotACell, cell)
		}
	}
	if len(cells) == 0 {
		cells = []string{c.keys.namespaceCell()}
	}
	storeCtx, cancel := c.storeContext(ctx)
	defer cancel()
	err := c.renew(storeCtx, cells...)
	if err != nil {
		c.gate.failed(ctx, err)
	}
	return err
}

type txKey struct{}

// WithTx returns a context that names the transaction which a body of Cache.Transact or of a
// //cachegen:tx method runs in, so that the row of an Outbox is written through it. It is for
// sources that run transactions; package sqltx does it. tx is what the Outbox can use, such as
// a *sql.Tx.
func WithTx(ctx context.Context, tx any) context.Context {
	return context.WithValue(ctx, txKey{}, tx)
}

// outboxes reports whether the write leaves a row in the outbox.
func (e *effect) outboxes() bool { return e.w.policy.OnError == OnErrorOutbox }

// intend commits a row for a write that commits by itself, before it runs, because there is
// nothing to write a row through:
//
//  1. the write commits
//  2. its process dies before the row is written
//  3. nobody knows what to renew
//
// What only the result names is not known yet: the row then stands for the whole namespace. It
// is due a lease later, which bounds the write as a marker does: see withinLease.
func (m *mutation) intend(e *effect, cells []string) error {
	if !e.outboxes() {
		return nil
	}
	if e.change.After != nil {
		cells = []string{m.c.keys.namespaceCell()}
	}
	if len(m.marked) == 0 || m.blind {
		m.since = m.c.now()
	}
	return m.keep(nil, cells)
}

// keep writes a row for cells, through tx or, where that is nil, by itself. Without a row
// there is no write.
func (m *mutation) keep(tx any, cells []string) error {
	if len(cells) == 0 {
		return nil
	}
	row := OutboxRow{ID: string(m.c.fresh()), Namespace: m.c.opt.Namespace, Cells: cells}
	if tx == nil {
		row.Lease = m.c.opt.Lease
	}
	m.rows = append(m.rows, row.ID)
	ctx, cancel := context.WithTimeout(m.ctx, m.c.opt.Lease/2)
	defer cancel()
	if err := m.c.opt.Outbox.Add(ctx, tx, row); err != nil {
		m.stats.refuse(err)
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

// keepLate writes a row for cells that were not known when the intent was written, because the
// method filled in its arguments, and of which the store could not be told.
func (m *mutation) keepLate(e *effect, after []string) {
	if e.outboxes() && e.change.After == nil {
		_ = m.keep(nil, m.late(after)) // counted; the journal has them, too
	}
}

// forget gives up the rows of a mutation of which the store has been told.
func (m *mutation) forget() {
	if len(m.rows) > 0 {
		m.c.opt.Outbox.Delivered(m.rows)
		m.rows = nil
	}
}

// MarkTx is Mark for a unit whose transaction is at hand: the rows of writes with
// OnErrorOutbox are written through tx, and are committed or rolled back with it. Mark has
// to commit them by itself, on another connection, which a database with one writer at a time
// refuses.
func (u *Unit) MarkTx(tx any) error {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return errUnit
	}
	u.began = true
	if u.m == nil {
		return nil
	}
	if u.m.outbox {
		if err := u.m.keep(tx, slices.Clone(u.cells)); err != nil {
			return err
		}
	}
	m := u.m
	m.start = u.cache.now()
	all := slices.Concat(u.cells, without(m.marked, u.cells)) // marks set earlier get a new lease
	err := m.announce(all)
	if err == nil {
		err = m.still(all)
	}
	wait := m.waits()
	u.mu.Unlock() // reads in the unit go on
	defer u.mu.Lock()
	if err != nil {
		return err
	}
	return await(m.ctx, wait)
}

// still makes sure that COMMIT is sent within the first half of the lease. A process that was
// stopped while it marked would otherwise go on to this:
//
//  1. the markers expire
//  2. a reader stores the old row
//  3. the process goes on and commits
//
// A COMMIT that the process is stopped right before is for the database to refuse: see
// sqltx.Limits.
func (m *mutation) still(cells []string) error {
	late := func() bool { return m.marks && m.c.now().Sub(m.start) >= m.c.opt.Lease/2 }
	if !late() {
		return nil
	}
	m.start = m.c.now()
	if err := m.announce(cells); err != nil {
		return err
	}
	if late() {
		err := fmt.Errorf("%w: marking took longer than half a lease, twice", ErrRefused)
		m.stats.refuse(err)
		return err
	}
	return nil
}
