package cachert

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// The defaults of ReadPolicy.Staleness. A heartbeat goes out three times within the bound, so
// a second costs three small commands a second for each connection, and is longer than a
// busy machine is silent. At level leased writers wait as long, which makes it shorter.
const (
	boundedStaleness = time.Second
	leasedStaleness  = 100 * time.Millisecond
)

// staleness is the bound of near hits at level l when a policy asks for the given one; 0: none.
func (l Level) staleness(asked time.Duration) time.Duration {
	switch {
	case asked > 0:
		return asked
	case l == LevelDefault, l == LevelBounded, l == LevelSession:
		return boundedStaleness
	case l == LevelLeased:
		return leasedStaleness
	}
	return 0
}

// bounds notes what the policy of a method asks of the store, and of writes at level leased. It
// panics when a level has no use for a bound, or the lease of a write no room for its wait.
func (c *Cache) bounds(method string, l Level, asked time.Duration, reads bool) time.Duration {
	bound := l.staleness(asked)
	switch {
	case asked < 0, asked > 0 && (l == LevelEventual || l == LevelStrict):
		panic(fmt.Sprintf("cachegen: %s: Staleness %v at level %v: it bounds near hits of levels bounded, session and leased", method, asked, l))
	case l == LevelLeased && bound > c.opt.Lease/4:
		panic(fmt.Sprintf("cachegen: %s: Staleness %v at level leased: a write waits as long under its lease of %v, of which a quarter is meant for that", method, bound, c.opt.Lease))
	}
	var ask time.Duration
	switch {
	case !reads:
	case l == LevelEventual:
		raise(&c.oldest, c.opt.NearTTL)
	default:
		ask = bound
		raise(&c.oldest, bound)
	}
	if c.store.Prove(ask) && l == LevelLeased {
		raise(&c.leased, bound)
	}
	return bound
}

// raise makes v at least d.
func raise(v *atomic.Int64, d time.Duration) {
	for old := v.Load(); int64(d) > old && !v.CompareAndSwap(old, int64(d)); old = v.Load() {
	}
}

// wait is how long a write at level leased waits between its marks and its commit: the longest
// bound of the leased reads and writes of this Cache, and a hundredth of it for clocks that do
// not run alike. 0 where promises do not lag.
func (c *Cache) wait() time.Duration {
	bound := time.Duration(c.leased.Load())
	return bound + bound/100
}

// await is what makes near hits at level leased as good as asking the store, which the writer
// pays for:
//
//  1. the marks are executed before time m, when Mark returns: who asks the store from now on
//     is sent to the source, and the pushes are on their way
//  2. until m+D other processes may still be answered near: the old version is not old yet
//  3. a near hit later than m+D rests on a fence sent after m that was answered: the push stood
//     in front of that reply, and the promise has ended
//  4. the source commits, not before m+D
//
// It returns the error of the context if that ends first; nothing has been written then.
func await(ctx context.Context, wait time.Duration) error {
	if wait == 0 {
		return nil
	}
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// ready is called when the commit of a write is due.
func (m *mutation) ready() error {
	if err := m.renew(); err != nil {
		return err
	}
	return await(m.ctx, m.waits())
}

// renew sets markers anew of which half the lease would be over when the write has waited. It
// comes before the wait: while they were gone near values may have come back.
func (m *mutation) renew() error {
	if len(m.marked) == 0 || m.blind || m.c.now().Sub(m.since)+m.wait <= m.c.opt.Lease/2 {
		return nil
	}
	return m.announce(m.marked)
}

// waits is how long this write waits. Where the marks could not be sent there is nothing to
// wait for.
func (m *mutation) waits() time.Duration {
	if m.blind || len(m.marked) == 0 {
		return 0
	}
	return m.wait
}

// withdraw takes back the marks of a write that did not happen.
func (m *mutation) withdraw() {
	m.bare, m.guards, m.sessions = nil, nil, nil
	_ = m.finish(nil, nil) // what could not be told is counted and journalled
}

var errOverdue = errors.New("cachegen: the lease of the write's markers is nearly over")

// withinLease gives the source of a write that has left a marker, or an intent, a deadline: three
// quarters of the lease after the oldest of them was sent. The last quarter is for what the
// database still commits after it was told to stop, and for the way there. At least one quarter
// is left when ready has returned. A write that goes on although its mark failed, and without
// an intent, has no deadline.
func (m *mutation) withinLease(ctx context.Context) (context.Context, context.CancelFunc) {
	if marked := len(m.marked) > 0 && !m.blind; !marked && len(m.rows) == 0 {
		return ctx, func() {}
	}
	return context.WithDeadlineCause(ctx, m.since.Add(m.c.opt.Lease/4*3), errOverdue)
}

// overdue reports whether that deadline has passed. Whatever error the source has made of it,
// the commit may be under way.
func (m *mutation) overdue(ctx context.Context, err error) bool {
	if context.Cause(ctx) != errOverdue {
		return false
	}
	m.c.voids.overdue(m.stats, err)
	return true
}

// proofs lists those that promises rest on, without duplicates: most often there is one.
func proofs(lives []*store.Live) (out []*store.Proof) {
	for _, l := range lives {
		if p := l.Proof(); p != nil && !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out
}

// proved reports whether whatever changed longer than bound ago would be known by now. Ask it
// before servable, see store.Proof.
func (e *nearEntry) proved(now time.Time, bound time.Duration) bool {
	if e == nil || bound == 0 {
		return true
	}
	for _, p := range e.proofs {
		if !p.Within(now, bound) {
			return false
		}
	}
	return true
}
