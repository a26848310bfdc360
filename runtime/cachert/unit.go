package cachert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/cachegen/cachegen/runtime/store"
)

// Unit is a unit of work: the writes of one database transaction, told to the cache
// together. A context from Begin carries it; the writes of all repositories of the Cache
// that are called with that context belong to it, and reads with it go to the source, which
// shows the transaction what it has written itself.
//
//	ctx, unit := cache.Begin(ctx)
//	// begin a transaction, do the work with ctx
//	err := unit.Mark()          // right before COMMIT: row locks are held, nobody waits long
//	err = tx.Commit()           // if Mark returned nil
//	toldErr := unit.Post(err)   // after it, whatever came of it
//
// or unit.Discard when the transaction is rolled back instead. Package sqltx does all this.
//
// All tags are marked in one pipeline and posted in one. A Unit may be used by several
// goroutines, Mark, Post and Discard by one after all writes have returned. A nil Unit is
// one without writes: its methods do nothing.
type Unit struct {
	cache *Cache
	ctx   context.Context

	mu      sync.Mutex
	m       *mutation // nil before the first write
	cells   []string  // named by writes, not marked yet
	earlier []string  // named by attempts whose COMMIT was sent before the body ran again
	puts    []put     // by writes that no later one touched
	serial  int       // of the last put
	began   bool      // Mark was called
	handed  bool      // stores bound to the unit were handed out: not every write by context need be of this transaction
	apart   bool      // some of it may have been committed apart from the unit's transaction
	open    bool      // and with what outcome is not known
	ended   bool
}

// NotToldError reports that a transaction was committed but the cache could not be told. The
// write stands. The invalidation is journalled and this process reads from the source until
// it is delivered; other processes may read old values meanwhile.
type NotToldError struct{ Err error }

func (e *NotToldError) Error() string {
	return "cachegen: committed, but the cache could not be told yet: " + e.Err.Error()
}

// Unwrap returns the store's error.
func (e *NotToldError) Unwrap() error { return e.Err }

// errUnit reports a call that does not fit the state of a Unit.
var errUnit = errors.New("cachegen: the unit of work has ended")

type unitKey struct{}

// unitLink is what a context carries: the units of several caches, the innermost first.
type unitLink struct {
	unit  *Unit
	outer *unitLink
}

// Begin starts a unit of work, or returns the one that ctx carries for this Cache: who began
// it ends it, and inner writes join.
func (c *Cache) Begin(ctx context.Context) (context.Context, *Unit) {
	if u := c.unit(ctx); u != nil {
		return ctx, u
	}
	ctx = onPrimary(ctx)
	u := &Unit{cache: c, ctx: ctx}
	return u.bind(ctx), u
}

// bind returns a context that carries u.
func (u *Unit) bind(ctx context.Context) context.Context {
	if u.cache.unit(ctx) == u {
		return ctx
	}
	outer, _ := ctx.Value(unitKey{}).(*unitLink)
	return context.WithValue(ctx, unitKey{}, &unitLink{u, outer})
}

// InUnit reports whether ctx carries a unit of work of c that has not ended.
func (c *Cache) InUnit(ctx context.Context) bool { return c.unit(ctx) != nil }

func (c *Cache) unit(ctx context.Context) *Unit {
	l, _ := ctx.Value(unitKey{}).(*unitLink)
	for ; l != nil; l = l.outer {
		if l.unit.cache == c && l.unit.running() {
			return l.unit
		}
	}
	return nil
}

func (u *Unit) running() bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	return !u.ended
}

// do runs a write inside the unit. Its tags are kept for Mark; only a write that reads the
// old row marks what it knows at once, because of this schedule:
//
//  1. the write reads the old row, of author 1
//  2. another write moves the row to author 2, commits and posts
//  3. this write changes the row and would drop author 1 alone
//
// and one that goes past the stores that were handed out, because it may be committed
// before the unit is. Such a one puts nothing: no row lock keeps others from changing what it
// wrote before its last tags, which are known after the commit, are marked.
func (u *Unit) do(e *effect) (err error) {
	args := e.collect(e.change.Tags)
	cells := slices.Clone(args)
	past, err := u.join(e, args)
	if err != nil {
		return err
	}
	if e.change.Old != nil {
		cells = append(cells, e.old()...)
	}
	ctx := e.ctx
	if past {
		if err := u.intend(e, slices.Clone(cells)); err != nil {
			return err
		}
		if err := u.ready(e.ctx); err != nil {
			return err
		}
		var cancel context.CancelFunc
		ctx, cancel = u.withinLease(ctx)
		defer cancel()
	}
	puts := &Puts{ctx: e.ctx, uncommitted: true}
	u.add(cells, nil)
	known := false
	defer func() { // after a panic, too, even of After: who recovers from it may go on to COMMIT
		if past {
			defer func() { u.committed(known, err) }()
		}
		after := e.after()
		u.add(append(cells, after...), puts.list)
		if past {
			u.announceLate(after)
		}
	}()
	err = e.run(ctx)
	known = !past || !u.m.overdue(ctx, err) || err == nil
	if err == nil && e.change.Put != nil && !past {
		e.change.Put(puts)
	}
	return err
}

// join lets an effect into the unit, or refuses it before the source is touched. It reports
// whether the effect goes past the stores that were handed out.
func (u *Unit) join(e *effect, args []string) (past bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return false, errUnit
	}
	past = u.handed && !e.w.derived
	if e.refuses() && !u.cache.gate.open.Load() {
		e.w.stats.refuse(store.ErrDown)
		return past, fmt.Errorf("%w: the store is not trusted at the moment", ErrRefused)
	}
	if u.m == nil {
		u.m = u.cache.newMutation(u.ctx, e.w.stats)
	}
	u.m.involve(e)
	if e.change.Old != nil {
		u.m.guard(args, e.w.repo.cell)
	}
	if e.change.Old != nil || past {
		err = u.m.announce(args)
	}
	return past, err
}

// intend commits a row of the outbox for an effect that may be committed apart from the unit.
func (u *Unit) intend(e *effect, cells []string) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.m.intend(e, cells)
}

// ready is called before an effect that may be committed apart from the unit.
func (u *Unit) ready(ctx context.Context) error {
	u.mu.Lock()
	err, wait := u.m.renew(), u.m.waits()
	u.mu.Unlock()
	if err != nil {
		return err
	}
	return await(ctx, wait)
}

// withinLease gives an effect that may be committed apart from the unit its deadline.
func (u *Unit) withinLease(ctx context.Context) (context.Context, context.CancelFunc) {
	u.mu.Lock()
	defer u.mu.Unlock()
	return u.m.withinLease(ctx)
}

// announceLate marks at once what is known only after an effect.
func (u *Unit) announceLate(after []string) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if late := without(after, u.m.marked); !u.ended && len(late) > 0 {
		_ = u.m.announce(late) // Mark announces all once more, and says so when it cannot
	}
}

// add keeps what an effect changed. A value put earlier is older than the effect if they
// share a tag.
func (u *Unit) add(cells []string, puts []put) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for _, c := range cells {
		if !slices.Contains(u.cells, c) {
			u.cells = append(u.cells, c)
		}
	}
	u.puts = slices.DeleteFunc(u.puts, func(p put) bool {
		return slices.ContainsFunc(p.cells, func(c string) bool { return slices.Contains(cells, c) })
	})
	for _, p := range puts {
		u.serial++
		p.serial = u.serial
		u.puts = append(u.puts, p)
	}
}

// Mark announces all writes of the unit, in one pipeline. Call it right before COMMIT. Where one
// of them is leased it waits until no process is answered near any more (see LevelLeased), and
// row locks are held meanwhile. After an error the transaction must be rolled back and the unit
// discarded: it wraps ErrRefused when some write does not happen because the store cannot be
// told, or is that of the context of Begin, which ended while it waited.
func (u *Unit) Mark() error { return u.MarkTx(nil) }

// Post ends the unit after COMMIT; commitErr is what COMMIT returned. When that leaves the
// outcome open the markers stay until their lease ends. The error is nil, or a NotToldError
// if the commit succeeded and the store could not be told.
func (u *Unit) Post(commitErr error) error {
	if u == nil {
		return nil
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return errUnit
	}
	u.ended = true
	switch {
	case u.m == nil:
		return nil
	case u.open, commitErr != nil && u.cache.opt.OutcomeUnknown(commitErr):
		u.abandon()
		return nil
	case commitErr != nil || !u.m.mayPut() || !u.began:
		u.puts = nil
	}
	u.leave()
	if err := u.m.finish(u.cells, u.puts); err != nil && commitErr == nil {
		return &NotToldError{err}
	}
	return nil
}

// Discard ends a unit whose transaction was rolled back before COMMIT was sent. Where
// nothing was marked or committed apart from it, that costs nothing. It does nothing to a unit
// that has ended.
func (u *Unit) Discard() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return
	}
	u.ended = true
	switch { // what could not be told is counted and journalled
	case u.m == nil:
	case u.open:
		u.abandon()
	case u.apart:
		u.leave()
		_ = u.m.finish(u.cells, nil)
	case len(u.m.marked) > 0 || len(u.earlier) > 0:
		u.m.bare = without(u.earlier, without(u.earlier, u.m.bare))
		u.cells = nil
		u.leave()
		u.m.sessions = nil
		_ = u.m.finish(nil, nil)
	default:
		u.m.forget()
	}
}

// committed says that some of the unit may have been committed apart from its transaction,
// which is not taken back with it; err and known tell what came of it.
func (u *Unit) committed(known bool, err error) {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.apart = true
	if !known || err != nil && u.cache.opt.OutcomeUnknown(err) {
		u.open = true
		if u.m != nil {
			u.m.sent()
		}
	}
}

// abandon ends the unit without knowing what was committed. The caller holds mu.
func (u *Unit) abandon() { u.m.abandon(slices.Concat(u.cells, without(u.earlier, u.cells))) }

// lost ends a unit when it is not known whether its transaction was committed.
func (u *Unit) lost() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.ended {
		return
	}
	u.ended = true
	if u.m != nil {
		u.abandon()
	}
}

// handOut remembers that a store bound to the unit was made; u may be nil.
func (u *Unit) handOut() {
	if u == nil {
		return
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	u.handed = true
}

// Savepoint remembers what the unit would store. RollbackTo forgets values put since, whose
// rows the database has taken back; their tags are dropped all the same.
func (u *Unit) Savepoint() (rollbackTo func()) {
	if u == nil {
		return func() {}
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	last := u.serial
	return func() {
		u.mu.Lock()
		defer u.mu.Unlock()
		u.puts = slices.DeleteFunc(u.puts, func(p put) bool { return p.serial > last })
	}
}
