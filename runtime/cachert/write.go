package cachert

import "context"

// Change describes one call of a write.
type Change struct {
	// Tags adds the tags known from the arguments. It is called before Run, to mark them,
	// and once more after it, because Run may change what its arguments point to.
	Tags func(t *Tags)
	// Old reads the row about to change from the source and adds its tags. It returns nil
	// when there is no such row; after any other error the whole repository is dropped,
	// for then it is not known what the row was part of.
	Old func(ctx context.Context, t *Tags) error
	// Run calls the source.
	Run func(ctx context.Context) error
	// After adds the tags known only from the result. It is called when Run has returned,
	// with or without an error.
	After func(t *Tags)
	// Put stores what the write left in the database. It is called when Run returned nil.
	Put func(p *Puts)
	// Uncommitted says that Run is part of a transaction that somebody else commits. In a
	// unit of work that is as always. Without one the commit is not seen: the tags are marked
	// at whatever level, and the markers stay until their lease ends, within which the
	// transaction has to be committed. It counts as a write of unknown outcome. Nothing is put.
	Uncommitted bool
}

// Do runs a write and keeps the cache right:
//
//  1. mark (levels session, strict and leased): each tag's generation is destroyed, a marker
//     stands; at level leased wait until no process is answered near any more
//  2. Run: the source commits; readers meanwhile read the source and store nothing
//  3. post: markers go, generations are new; if no other write overlapped this one, the
//     Puts are stored under them
//
// It returns Run's error as it is, or before Run an error that wraps ErrRefused and
// says why: store.ErrDown, ErrUnsafe, what else the store returned, or with OnErrorOutbox the
// error of the row that could not be written. At level leased it may also be the error of ctx,
// which ended during the wait. A write that committed is never reported as failed because the
// cache could not be told: the invalidation is journalled. When Run or what follows it panics, or the
// outcome is unknown, the markers stay until their lease ends.
func (w *Writer) Do(ctx context.Context, ch Change) error {
	c := w.repo.cache
	w.stats.writes.Add(1)
	ctx = onPrimary(ctx)
	e := &effect{w: w, ctx: ctx, change: ch}
	if err := e.barred(); err != nil {
		return err
	}
	if u := w.joins(ctx); u != nil {
		return u.do(e)
	}
	if w.derived || ch.Uncommitted {
		return e.unseen()
	}
	m := c.newMutation(ctx, w.stats)
	m.involve(e)
	if err := m.prepare(e); err != nil {
		return err
	}
	m.start = c.now()
	within, cancel := m.withinLease(ctx)
	defer cancel()
	known := false // what came of the write, and all that it changed
	defer func() {
		if !known {
			var late []string
			defer func() { m.abandon(late) }() // also when it is After that panics
			late = e.after()
		}
	}()
	err := e.run(within)
	if late := m.overdue(within, err); err != nil && (late || c.opt.OutcomeUnknown(err)) {
		return err
	}
	late := e.after()
	puts := &Puts{ctx: context.WithoutCancel(ctx)}
	if err == nil && ch.Put != nil && m.mayPut() {
		ch.Put(puts)
	}
	known = true
	if m.finish(late, puts.list) != nil { // what could not be told is counted and journalled
		m.keepLate(e, late)
	}
	return err
}

// joins is the unit of work that a write called with ctx belongs to, nil for none.
func (w *Writer) joins(ctx context.Context) *Unit {
	if w.unit != nil && w.unit.running() {
		return w.unit
	}
	return w.repo.cache.unit(ctx)
}

// effect is one call of a write, and what it changes.
type effect struct {
	w      *Writer
	ctx    context.Context
	change Change
}

// unseen runs a write whose commit is not seen, which may come at any time until the lease
// of its markers ends. Meanwhile readers ask the source. Even what is known only after Run
// is marked in time.
func (e *effect) unseen() error {
	m := e.w.repo.cache.newMutation(e.ctx, e.w.stats)
	m.involve(e)
	m.marks, m.observes = true, false
	if err := m.prepare(e); err != nil {
		return err
	}
	within, cancel := m.withinLease(e.ctx)
	defer cancel()
	defer m.abandon(nil) // also when it is After that panics
	defer func() {
		m.refuses = false // it has happened
		if late := m.late(e.after()); len(late) > 0 {
			_ = m.announce(late)
			_ = await(e.ctx, m.waits()) // it is not committed yet
		}
	}()
	return e.run(within)
}

// collect lists the cells that the closures name, and the whole repository's when a tag
// cannot be encoded or the tenant is not known.
func (e *effect) collect(closures ...func(*Tags)) []string {
	tags := e.w.repo.tags(e.ctx)
	tags.collect(closures...)
	if _, ok := e.w.repo.scope(e.ctx); !ok || tags.err != nil {
		tags.All(e.w.repo.policy.Name)
	}
	return tags.cells
}

// old lists the cells of the row as it is before the write.
func (e *effect) old() []string {
	return e.collect(func(t *Tags) {
		if err := e.change.Old(e.ctx, t); err != nil {
			t.All(e.w.repo.policy.Name)
		}
	})
}

// after lists the cells known once Run has returned: from the result, and from arguments
// that Run filled.
func (e *effect) after() []string { return e.collect(e.change.Tags, e.change.After) }

// run calls the source.
func (e *effect) run(ctx context.Context) error {
	start := e.w.repo.cache.now()
	err := e.change.Run(ctx)
	e.w.stats.observe(EventWrite, e.w.repo.cache.now().Sub(start), err)
	return err
}

// level is that of this call. What is leased is so for a caller who asks for strict, too: it is
// the reads of others that are waited for.
func (e *effect) level() Level { return max(effective(e.ctx, e.w.policy.Level), e.w.policy.Level) }

// marks reports whether the write announces itself before the commit.
func (e *effect) marks() bool { return e.level().marked() }

// refuses reports whether the write does not happen when the store cannot be told.
func (e *effect) refuses() bool {
	if e.w.policy.OnError == OnErrorDefault {
		return e.level() >= LevelStrict
	}
	return e.w.policy.OnError == OnErrorFail
}
