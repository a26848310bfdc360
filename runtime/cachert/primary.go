package cachert

import (
	"context"
	"sync/atomic"
	"time"
)

// NeedsPrimary reports whether what is read with ctx must be read from the primary database,
// because a replica may not have it yet. It is for the source: a load asks with the context
// it was given, and picks its connection by the answer (sqltx.Pools does both). It is false
// only inside a load that a Cache with Options.ReplicaLag has made for a miss, when everything
// that the result depends on has been as it is for longer than that. Else it is true: after a
// write, while one is in progress, when that is not known, for strict reads, in writes and
// units of work, and outside of loads. Without the rule:
//
//  1. a writer marks, commits version 2 and posts: generation 2
//  2. a reader finds generation 2 and no valid entry
//  3. it loads version 1 from a replica that lags behind
//  4. it stores version 1 under generation 2, and it stays
//
// A load that must use the primary and does not ask is taken for one that does not know of
// the rule: its result is returned and not stored, see MethodStats.Unasked.
func NeedsPrimary(ctx context.Context) bool {
	s, _ := ctx.Value(sourceKey{}).(*source)
	if s == nil {
		return true
	}
	for outer := s; outer != nil; outer = outer.outer {
		outer.asked.Store(true)
	}
	return s.primary
}

// source is what the context of a load says about where to read.
type source struct {
	primary bool
	asked   atomic.Bool
	outer   *source // of the load inside which this one was made
}

type sourceKey struct{}

// onPrimary returns a context for what a load does besides reading for itself.
func onPrimary(ctx context.Context) context.Context {
	if s, _ := ctx.Value(sourceKey{}).(*source); s != nil {
		return context.WithValue(ctx, sourceKey{}, &source{primary: true, outer: s})
	}
	return ctx
}

// primary reports whether a load under the snapshot must ask the primary.
func (r *Reader[V]) primary(ctx context.Context, snap snapshot, strict bool) bool {
	c := r.repo.cache
	if outer, _ := ctx.Value(sourceKey{}).(*source); outer != nil && outer.primary {
		return true
	}
	return c.opt.ReplicaLag <= 0 || strict || r.alone(ctx) || snap.youngerThan(c.now().Add(-c.replicaWindow()))
}

// replicaWindow is how long after the clock in a generation a replica may lack what was
// committed before that. The clock was read before the generation was sent, and in between
// another write may have been committed.
func (c *Cache) replicaWindow() time.Duration {
	return c.opt.ReplicaLag + c.opt.ClockSkew + c.opt.StoreTimeout
}

// youngerThan reports whether some cell has, or may have, changed since a moment. Generations
// count whole microseconds.
func (s snapshot) youngerThan(moment time.Time) bool {
	for _, cell := range s {
		if made, ok := madeAt(cell.Generation); !ok || made.Add(time.Microsecond).After(moment) {
			return true
		}
	}
	return false
}

// loadFrom is load that tells the source where to read. It reports whether the result may be
// stored.
func (r *Reader[V]) loadFrom(ctx context.Context, primary bool, load func(context.Context) (V, error)) (v V, storable bool, err error) {
	if r.repo.cache.opt.ReplicaLag <= 0 {
		v, err = r.load(onPrimary(ctx), load)
		return v, true, err
	}
	outer, _ := ctx.Value(sourceKey{}).(*source)
	s := &source{primary: primary, outer: outer}
	v, err = r.load(context.WithValue(ctx, sourceKey{}, s), load)
	asked := s.asked.Load()
	switch {
	case primary && !asked:
		r.stats.unasked.Add(1)
		return v, false, err
	case !primary && asked:
		r.stats.replicaLoads.Add(1)
	}
	return v, true, err
}
