package simulator

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"
)

// row is what the database keeps. Each change gives it another version.
type row struct{ ID, Version, Shelf int64 }

// database is the source: rows, and the history of every object that can be read. Statements
// outside of a transaction commit by themselves; a row that a transaction has changed is
// locked until that ends, and who meets it fails. The world's lock guards it.
type database struct {
	w       *world
	version int64
	rows    map[int64]row
	locks   map[int64]*transaction
	objects map[string]*history
}

// history is what one object was, and is, by commits.
type history struct {
	class  class
	list   bool
	states []state
}

type state struct {
	rows  []row
	value string
	at    time.Duration // of the commit
	by    *op           // nil: in the beginning
	bound bool          // the commit was announced, so that nobody may miss it
}

// The errors of the database. The first leaves the outcome open.
var (
	errOpen     = fmt.Errorf("simulated: connection lost in the commit: %w", io.ErrUnexpectedEOF)
	errConflict = errors.New("simulated: serialization failure")
	errBroken   = errors.New("simulated: the query failed")
	errGone     = errors.New("simulated: no such row")
)

func rowObject(id int64) string     { return "row:" + strconv.FormatInt(id, 10) }
func listObject(shelf int64) string { return "shelf:" + strconv.FormatInt(shelf, 10) }

// cellOf is the cell of the tag that an object's reads name.
func cellOf(object string) string { return "sim:{rows/" + object + "}" }

func text(rows []row) string {
	var b strings.Builder
	for _, r := range rows {
		fmt.Fprintf(&b, "[%d v%d on %d]", r.ID, r.Version, r.Shelf)
	}
	return b.String()
}

// change is what a statement does to a row: nil takes it away.
type change map[int64]*row

// next is a version that no row has had.
func (d *database) next() int64 {
	d.version++
	return d.version
}

// commit applies changes and writes history.
func (d *database) commit(by *op, ch change) {
	by.committed = true
	var lists []int64
	for _, id := range sorted(ch) {
		old, was := d.rows[id]
		if was {
			lists = append(lists, old.Shelf)
		}
		if r := ch[id]; r != nil {
			d.rows[id] = *r
			lists = append(lists, r.Shelf)
		} else {
			delete(d.rows, id)
		}
		d.record(rowObject(id), by, by.marked[cellOf(rowObject(id))])
	}
	slices.Sort(lists)
	for _, shelf := range slices.Compact(lists) {
		bound := by.marked[cellOf(listObject(shelf))]
		h := d.objects[listObject(shelf)]
		for _, r := range h.states[len(h.states)-1].rows { // a list depends on its rows, too
			if _, touched := ch[r.ID]; touched {
				bound = bound || by.marked[cellOf(rowObject(r.ID))]
			}
		}
		d.record(listObject(shelf), by, bound)
	}
}

func sorted(ch change) []int64 {
	var ids []int64
	for id := range ch {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// record adds the present state of an object to its history.
func (d *database) record(object string, by *op, bound bool) {
	h := d.objects[object]
	rows := d.now(object)
	if last := h.states[len(h.states)-1]; last.value == text(rows) {
		return
	}
	bound = bound || h.class == strict && !by.creates
	h.states = append(h.states, state{rows: rows, value: text(rows), at: d.w.now(), by: by, bound: bound})
	d.w.note(by.name + " COMMITS " + object + " = " + text(rows))
}

// now is an object as it is committed.
func (d *database) now(object string) []row {
	kind, number, _ := strings.Cut(object, ":")
	n, _ := strconv.ParseInt(number, 10, 64)
	var rows []row
	for _, r := range d.rows {
		if kind == "row" && r.ID == n || kind == "shelf" && r.Shelf == n {
			rows = append(rows, r)
		}
	}
	slices.SortFunc(rows, func(a, b row) int { return int(a.ID - b.ID) })
	return rows
}

// add makes an object known with its first state.
func (d *database) add(object string, c class) {
	rows := d.now(object)
	d.objects[object] = &history{class: c, list: strings.HasPrefix(object, "shelf"), states: []state{{rows: rows, value: text(rows), bound: true}}}
}

// load asks for an object, as a primary does.
func (p *process) load(ctx context.Context, object string) ([]row, error) {
	w := p.w
	if p.isDead() {
		return nil, errDead
	}
	s := w.step(p.name, caller(ctx), "load", object)
	s.note("sent")
	there, back := s.way(), s.way()
	if s.chance(120) {
		back += s.within(60 * time.Millisecond)
	}
	fails := s.fault("the query fails", 8)
	var rows []row
	done := make(chan struct{})
	w.after(there, func() {
		w.state.Lock()
		defer w.state.Unlock()
		seen := w.db.seen(object)
		s.note("sees " + text(seen))
		w.after(back, func() {
			rows = seen
			close(done)
		})
	})
	select {
	case <-done:
	case <-p.dead:
		return nil, errDead
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if fails {
		return nil, errBroken
	}
	return rows, nil
}

// seen is what a load sees.
func (d *database) seen(object string) []row {
	h := d.objects[object].states
	i := len(h) - 1
	if d.w.broken(LaggingLoads) {
		for i > 0 && h[i].at > d.w.now()-20*time.Millisecond {
			i--
		}
	}
	return h[i].rows
}

// transaction is one that holds locks until its end.
type transaction struct {
	p       *process
	op      *op
	changes change
	ended   bool
}

// statement runs f at the database and commits what it changes, or adds it to tx. The error
// tells of a failure, of which errOpen may have been none.
func (p *process) statement(ctx context.Context, by *op, tx *transaction, what string, f func(read func(id int64) (row, bool)) (change, error)) error {
	w := p.w
	return p.talk(ctx, by, nil, what, tx == nil, func() error {
		read := func(id int64) (row, bool) {
			if tx != nil {
				if r, touched := tx.changes[id]; touched {
					if r == nil {
						return row{}, false
					}
					return *r, true
				}
			}
			r, ok := w.db.rows[id]
			return r, ok
		}
		ch, err := f(read)
		if err != nil {
			return err
		}
		for id := range ch {
			holder := w.db.locks[id]
			if holder != nil && holder.p.isDead() { // the database rolls back what nobody ends
				holder.end()
			} else if holder != nil && holder != tx {
				return errConflict
			}
		}
		if tx == nil {
			w.db.commit(by, ch)
			return nil
		}
		for id, r := range ch {
			w.db.locks[id] = tx
			tx.changes[id] = r
		}
		return nil
	})
}

// commit ends a transaction.
func (tx *transaction) commit(ctx context.Context) error {
	w := tx.p.w
	err := tx.p.talk(ctx, tx.op, tx, "commit", true, func() error {
		if tx.ended {
			return errConflict
		}
		w.db.commit(tx.op, tx.changes)
		tx.end()
		return nil
	})
	if errors.Is(err, errConflict) {
		tx.rollback()
	}
	return err
}

// rollback ends a transaction; nil is one that has ended. The caller does not hold the lock.
func (tx *transaction) rollback() {
	if tx == nil {
		return
	}
	tx.p.w.state.Lock()
	defer tx.p.w.state.Unlock()
	tx.end()
}

func (tx *transaction) end() {
	tx.ended = true
	for id, holder := range tx.p.w.db.locks {
		if holder == tx {
			delete(tx.p.w.db.locks, id)
		}
	}
}

// talk is one exchange of a write with the database: f runs there, within the time in which
// the database commits, or not at all. The commit of an outcome that is not heard of ends tx.
func (p *process) talk(ctx context.Context, by *op, tx *transaction, what string, commits bool, f func() error) error {
	w := p.w
	if p.isDead() {
		return errDead
	}
	s := w.step(p.name, by.name, what)
	s.note("sent")
	if s.fault("dies before it", 5) && w.die(p) {
		return errDead
	}
	there, back := s.way(), s.way()
	if s.chance(150) {
		there += s.within(20 * time.Millisecond)
	}
	refused := s.fault("rolls back", 20)
	open := commits && !by.creates && w.class == Within
	never := open && s.fault("is never heard of", 8)
	late := open && s.fault("runs after its caller was told of a failure", 20)
	unheard := open && s.fault("runs and is not heard of", 15)
	if commits && w.class == Overdue && s.fault("takes longer than the lease", 250) {
		there += lease + s.within(lease)
	}
	reply := make(chan error, 1)
	run := func() error {
		w.state.Lock()
		defer w.state.Unlock()
		s.note("runs")
		if refused {
			return errConflict
		}
		return f()
	}
	switch {
	case never:
		w.after(there+back, func() {
			tx.rollback()
			reply <- errOpen
		})
	case late:
		w.after(there+back, func() { reply <- errOpen })
		w.after(there+back+s.within(commitWithin-30*time.Millisecond), func() { _ = run() })
	default:
		w.after(there, func() {
			err := run()
			if unheard {
				err = errOpen
			}
			w.after(back, func() { reply <- err })
		})
	}
	gaveUp := ctx.Done()
	if w.class == Overdue { // it commits late, and says so: the driver does not know of deadlines
		gaveUp = nil
	}
	select {
	case err := <-reply:
		s.note(result(err))
		if s.fault("dies after it", 8) && w.die(p) {
			return errDead
		}
		return err
	case <-p.dead:
		return errDead
	case <-gaveUp:
		return ctx.Err()
	}
}

func result(err error) string {
	if err == nil {
		return "answered"
	}
	return "answered: " + err.Error()
}
