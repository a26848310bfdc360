package loadgen

import (
	"sync/atomic"
	"time"
)

// A Ledger holds, per book, the newest version that was acknowledged: the floor below which
// no later read may fall. It keeps two floors.
//
// The own floor counts at once: updates acknowledged to callers of this process. This is the
// promise of the levels session and strict.
//
// The settled floor counts updates acknowledged to anyone who shares the ledger, in any
// process, once they are older than a bound. This is the promise of the level bounded. For
// it the recent versions stand in a ring of time slots, each a quarter of the bound wide; the
// ring is two bounds long, so a version has settled before its slot is used again and moves
// to the base.
//
//	words of a book: base | slot 0 | slot 1 | ... | slot 7
//	slot:            number of the slot, 32 bits | newest version acknowledged in it, 32 bits
//
// The words may lie in memory shared by processes of one machine, whose wall clocks are one.
type Ledger struct {
	bound time.Duration
	own   []atomic.Uint64
	words []atomic.Uint64
	close func() error
}

const (
	slots        = 8
	slotsInBound = 4
	wordsPerBook = 1 + slots
)

// NewLedger returns a ledger for books 1 to n of one process.
func NewLedger(n int, bound time.Duration) *Ledger {
	return &Ledger{
		bound: bound,
		own:   make([]atomic.Uint64, n+1),
		words: make([]atomic.Uint64, (n+1)*wordsPerBook),
		close: func() error { return nil },
	}
}

// Process returns a ledger of another process's own floors that shares the settled floor.
func (l *Ledger) Process() *Ledger {
	other := *l
	other.own = make([]atomic.Uint64, len(l.own))
	other.close = func() error { return nil }
	return &other
}

// Close gives the shared memory back. The ledger must not be used any more.
func (l *Ledger) Close() error { return l.close() }

// Acknowledge records that an update of book was acknowledged with this version at this time.
func (l *Ledger) Acknowledge(book, version int64, at time.Time) {
	raise(&l.own[book], uint64(version))
	words := l.book(book)
	number := l.slot(at)
	now := number<<32 | uint64(version)&0xffffffff
	word := &words[1+number%slots]
	for {
		old := word.Load()
		if old >= now && old>>32 == number {
			return // a newer version of the same slot
		}
		if old > now {
			raise(&words[0], uint64(version)) // this call was held up for a whole turn of the ring
			return
		}
		if word.CompareAndSwap(old, now) {
			if old>>32 != number {
				raise(&words[0], old&0xffffffff)
			}
			return
		}
	}
}

// Own returns the version that a read of book starting now, in this process, must reach.
func (l *Ledger) Own(book int64) int64 { return int64(l.own[book].Load()) }

// Settled returns the version that a read of book starting at the given time must reach in
// whatever process it runs.
func (l *Ledger) Settled(book int64, start time.Time) int64 {
	words := l.book(book)
	limit := l.slot(start.Add(-l.bound)) // slots before this one ended a bound ago
	floor := words[0].Load()
	for i := range slots {
		if word := words[1+i].Load(); word != 0 && word>>32 < limit {
			floor = max(floor, word&0xffffffff)
		}
	}
	return int64(floor)
}

func (l *Ledger) book(book int64) []atomic.Uint64 {
	return l.words[book*wordsPerBook : (book+1)*wordsPerBook]
}

// slot numbers time. The 32 bits that are kept count up for years between two overflows.
func (l *Ledger) slot(at time.Time) uint64 {
	return uint64(at.UnixNano()/int64(l.bound/slotsInBound)) & 0xffffffff
}

// raise lifts floor to version unless it is there already.
func raise(floor *atomic.Uint64, version uint64) {
	for old := floor.Load(); version > old && !floor.CompareAndSwap(old, version); {
		old = floor.Load()
	}
}
