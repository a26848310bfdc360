package store

import (
	"sync/atomic"
	"time"
)

// Live is a promise held by a reader: it stays alive for as long as the cell it came with
// is known to hold the generation it was handed out with, and ends, for good, as soon as
// the store learns otherwise or can no longer know (connection lost, cell evicted from the
// tracking table). What the store has not learned yet it cannot tell: how old its knowledge
// may be is what Proof says. The zero value is alive, and needs no proof. All methods are
// safe for concurrent use.
type Live struct {
	ended atomic.Bool
	proof *Proof
}

// NewLive returns a promise that is as good as p: nil for one that ends before the operation
// that ends it returns.
func NewLive(p *Proof) *Live { return &Live{proof: p} }

// End ends the promise. It is idempotent.
func (l *Live) End() { l.ended.Store(true) }

// Alive reports whether the promise still holds.
func (l *Live) Alive() bool { return !l.ended.Load() }

// Proof is that of the connection that tells the store when to end the promise; nil: it needs
// none.
func (l *Live) Proof() *Proof { return l.proof }

// Proof says up to when the connection behind some promises has told all it had to tell: the
// time at which the last fence that has been answered was SENT. A fence is anything whose reply
// comes behind every push that the server has queued before. So
//
//  1. proof is younger than d: Within
//  2. the promise is alive: Alive
//
// seen in this order say that no cell was changed longer than d ago without the promise having
// ended. In the other order they say nothing:
//
//  1. the promise is seen alive; its cell has changed, and the push is stuck on the way
//  2. the push comes, and behind it the reply to a fence that was sent after the change
//  3. the proof is young, and the promise that it was asked for has ended
//
// Times are those of the monotonic clock of the process, and of it alone. The zero value has
// proved nothing. All methods are safe for concurrent use, and of a nil Proof: it is always
// within.
type Proof struct{ sent atomic.Int64 } // ns since base; 0: nothing was answered yet

// base is what Proof counts from, with a monotonic reading: before anything could be sent, and
// before the year 2000, in which the clocks of testing/synctest begin.
var base = time.Now().Add(-50 * 365 * 24 * time.Hour)

// Renew notes that a fence sent at the given time, taken BEFORE it was handed to anybody who
// sends it, has been answered. An older one than is known changes nothing.
func (p *Proof) Renew(sent time.Time) {
	at := int64(sent.Sub(base))
	for old := p.sent.Load(); at > old; old = p.sent.Load() {
		if p.sent.CompareAndSwap(old, at) {
			return
		}
	}
}

// Within reports whether a fence that was sent at most d before now has been answered.
func (p *Proof) Within(now time.Time, d time.Duration) bool {
	if p == nil {
		return true
	}
	sent := p.sent.Load()
	return sent > 0 && int64(now.Sub(base))-sent <= int64(d)
}
