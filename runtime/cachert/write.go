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
}

// Do runs a write and keeps the cache right:
//
//  1. mark (levels session and strict): each tag's generation is destroyed, a marker stands
//  2. Run: the source commits; readers meanwhile read the source and store nothing
//  3. post: markers go, generations are new; if no other write overlapped this one, the
//     Puts are stored under them
//
// It returns Run's error as it is, or before Run an error that wraps ErrRefused and
// store.ErrDown. A write that committed is never reported as failed because the cache could
// not be told: the invalidation is journalled. When Run panics or its outcome is unknown
// the markers stay until their lease ends.
func (w *Writer) Do(ctx context.Context, ch Change) error {
	c := w.repo.cache
	w.stats.writes.Add(1)
	e := &effect{w: w, ctx: ctx, change: ch}
	if u := c.unit(ctx); u != nil {
		return u.do(e)
	}
	m := c.newMutation(ctx, w.stats)
	m.involve(e)
	args := e.collect(ch.Tags)
	if err := m.announce(args); err != nil {
		return err
	}
	if ch.Old != nil {
		// The old row is read under our markers: a marked writer that changes it from here
		// on overlaps us, and finish sees that.
		if err := m.announce(without(e.old(), args)); err != nil {
			return err
		}
		m.guard(args, w.repo.cell)
	}
	m.start = c.now()
	err := e.run(func() { m.abandon(e.after()) })
	if err != nil && c.opt.OutcomeUnknown(err) {
		m.abandon(e.after())
		return err
	}
	late := e.after()
	puts := &Puts{ctx: context.WithoutCancel(ctx)}
	if err == nil && ch.Put != nil && m.mayPut() {
		ch.Put(puts)
	}
	_ = m.finish(late, puts.list) // what could not be told is counted and journalled
	return err
}

// effect is one call of a write, and what it changes.
type effect struct {
	w      *Writer
	ctx    context.Context
	change Change
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

// run calls the source; when it panics, panicked is called on the way out.
func (e *effect) run(panicked func()) error {
	returned := false
	defer func() {
		if !returned {
			panicked()
		}
	}()
	start := e.w.repo.cache.now()
	err := e.change.Run(e.ctx)
	returned = true
	e.w.stats.observe(EventWrite, e.w.repo.cache.now().Sub(start), err)
	return err
}

// marks reports whether the write announces itself before the commit.
func (e *effect) marks() bool { return effective(e.ctx, e.w.policy.Level).marked() }

// refuses reports whether the write does not happen when the store cannot be told.
func (e *effect) refuses() bool {
	if e.w.policy.OnError == OnErrorDefault {
		return effective(e.ctx, e.w.policy.Level) == LevelStrict
	}
	return e.w.policy.OnError == OnErrorFail
}
