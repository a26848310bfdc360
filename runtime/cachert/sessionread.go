package cachert

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// proof is what a value kept near can show to a session that has noted something about it.
type proof struct {
	asked  time.Time // when the read began that kept it: the store was asked later than that
	deps   []nearDep // nil: no session was there when it was kept
	period uint64    // hash of all generations
	noted  uint64    // what a session that is answered with it notes as period
	newest time.Time // not older than the last change in it
}

// nearDep is a dependency without its names.
type nearDep struct {
	cell, period uint64
	gen          store.Generation
}

// prove adds to e what sessions ask for. A value that was loaded may be ahead of its
// generations, so that others under the same ones may be older.
func (r *Reader[V]) prove(e *nearEntry, t target, deps []dep, how found) {
	c := r.repo.cache
	e.asked = t.asked
	if !c.sessions.Load() {
		return
	}
	e.deps = make([]nearDep, len(deps))
	for i, d := range deps {
		e.deps[i] = nearDep{hashOf(d.cell), hashOf(string(d.gen)), d.gen}
	}
	e.period = periodOf(deps)
	if how == loaded {
		e.noted, e.newest = c.id, c.now()
	} else {
		e.noted, e.newest = e.period, newest(deps, c.now())
	}
}

func periodOf(deps []dep) uint64 {
	gens := make([]string, len(deps))
	for i, d := range deps {
		gens[i] = string(d.gen)
	}
	return hashOf(gens...)
}

// newest is when the youngest of the generations was made.
func newest(deps []dep, now time.Time) (last time.Time) {
	for _, d := range deps {
		made, ok := madeAt(d.gen)
		if !ok {
			return now
		}
		last = later(last, made)
	}
	return last
}

// madeAt is when a generation was made, by the clock of who made it.
func madeAt(g store.Generation) (time.Time, bool) {
	_, rest, _ := strings.Cut(string(g), "x")
	clock, _, ok := strings.Cut(rest, "x")
	made, err := strconv.ParseInt(clock, generationBase, 64)
	return time.UnixMicro(made), ok && err == nil
}

// object is the hash of what one call reads.
func (c *Cache) object(near string) uint64 { return hashOf(c.keys.prefix, near) }

// trusts reports whether e, which is servable, may answer a read with the session of ctx, which
// notes it then.
func (r *Reader[V]) trusts(ctx context.Context, scope, args string, e *nearEntry) bool {
	s := SessionFrom(ctx)
	if s == nil {
		return true
	}
	c := r.repo.cache
	object := c.object(r.nearKey(scope, args))
	if !s.believes(c, object, e) {
		r.stats.doubted.Add(1)
		return false
	}
	if e.deps == nil {
		s.read(c, object, c.id, c.now(), e.asked)
	} else {
		s.read(c, object, e.noted, e.newest, e.asked)
	}
	return true
}

// believes reports whether e is as new as all that the session has noted about it.
func (s *Session) believes(c *Cache, object uint64, e *nearEntry) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.told)+len(s.open) == 0 {
		return true
	}
	now := c.now()
	if e.deps == nil || s.doubts(c, everything, 0, e, now) || s.doubts(c, object, e.period, e, now) {
		return false
	}
	for _, d := range e.deps {
		if s.doubts(c, d.cell, d.period, e, now) {
			return false
		}
	}
	for _, d := range e.deps { // apart: this may write notes, and so unite those that are asked for
		if s.isOpen(c, d.cell, d.gen, now) {
			return false
		}
	}
	return true
}

// doubts reports whether something noted under hash, which has that period in e, is not shown
// to be in e. The caller holds mu.
func (s *Session) doubts(c *Cache, hash, period uint64, e *nearEntry, now time.Time) bool {
	n, ok := s.told[hash]
	return ok && !now.After(n.until) && n.period != c.id &&
		(n.period == 0 || n.period != period) && !e.asked.After(n.at)
}

// isOpen reports whether a change of the cell may not have been told when it was given g. The
// caller holds mu.
func (s *Session) isOpen(c *Cache, cell uint64, g store.Generation, now time.Time) bool {
	for _, hash := range []uint64{cell, everything} {
		n, ok := s.open[hash]
		if !ok || now.After(n.until) {
			continue
		}
		if made, ok := madeAt(g); !ok || !made.After(n.after.Add(c.opt.ClockSkew)) {
			return true
		}
		if hash == cell { // told since
			delete(s.open, cell)
			s.told[cell] = note{period: hashOf(string(g)), at: now, until: now.Add(c.nearAge() + c.opt.ClockSkew)}
			s.shorten(now)
		}
	}
	return false
}

// settled reports whether an entry found valid under snap may answer a read with the session of
// ctx: the store knew of all that the session has written to these cells.
func (r *Reader[V]) settled(ctx context.Context, snap snapshot) bool {
	s := SessionFrom(ctx)
	if s == nil {
		return true
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return true
	}
	now := r.repo.cache.now()
	for cell, seen := range snap {
		if s.isOpen(r.repo.cache, hashOf(cell), seen.Generation, now) {
			r.stats.untrusted.Add(1)
			return false
		}
	}
	return true
}

// alone reports whether a load for the session of ctx must not be shared: one that began
// before a write which the store does not know of was made under the same snapshot.
func (r *Reader[V]) alone(ctx context.Context) bool {
	s := SessionFrom(ctx)
	if s == nil {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open) > 0
}

// noteStored tells the session of ctx that the store has answered.
func (r *Reader[V]) noteStored(ctx context.Context, t target, deps []dep) {
	if s := SessionFrom(ctx); s != nil {
		c := r.repo.cache
		s.read(c, c.object(t.near), periodOf(deps), newest(deps, c.now()), t.asked)
	}
}

// noteLoaded tells the session of ctx that the source has answered.
func (r *Reader[V]) noteLoaded(ctx context.Context, t target) {
	if s := SessionFrom(ctx); s != nil {
		c := r.repo.cache
		s.read(c, c.object(t.near), c.id, c.now(), t.asked)
	}
}
