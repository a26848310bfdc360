package cachert

import "slices"

// A source may run the body of a transaction again after its COMMIT has failed, and nobody
// tells the unit how. When what failed was only the answer, the first COMMIT may take effect
// as late as the lease allows:
//
//  1. an attempt names tag a and is marked; its COMMIT is sent, and the connection is lost
//  2. the body runs again, does something else, names tag b, and is committed
//  3. the unit ends: were a posted now, a reader could store what it holds
//  4. the first COMMIT takes effect, and nobody tells of it
//
// So a tag that only attempts before the last one have named counts as one of unknown outcome:
// its marker stays. A tag that the last attempt has named too is posted, because the rows that
// both have written are locked until the first one has ended, one way or the other. That does not
// hold for two attempts that name a tag together and write no row together.

// named is the number of cells that the unit's writes have named so far.
func (u *Unit) named() int {
	u.mu.Lock()
	defer u.mu.Unlock()
	return len(u.cells)
}

// again is told when the body runs once more although its COMMIT was sent; the cells from index
// since on are of that attempt.
func (u *Unit) again(since int) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.m != nil {
		u.m.sent()
	}
	since = min(since, len(u.cells))
	u.earlier = append(u.earlier, without(u.cells[since:], u.earlier)...)
	u.cells = u.cells[:since]
}

// leave takes what only earlier attempts have named out of the unit: its markers stay until
// their lease ends, and what has none is renewed now and once more then. The caller holds mu.
func (u *Unit) leave() {
	left := without(u.earlier, u.cells)
	if u.m == nil || len(left) == 0 {
		return
	}
	bare := slices.Clone(left)
	if !u.m.blind { // else the markers may never have arrived
		bare = without(left, u.m.marked)
	}
	for _, g := range u.m.guards { // which row it has changed is not known
		if len(without(left, g.cells)) < len(left) {
			bare = append(bare, without([]string{g.repo}, bare)...)
		}
	}
	u.m.marked = without(u.m.marked, left)
	u.m.bare = slices.Concat(without(u.m.bare, bare), bare)
	u.m.stats.unknownOutcome()
	u.m.noteUnknown(left)
	u.m.rows = nil // the outbox keeps them: they may be all that a crash leaves
	u.cache.gate.owe("", bare, u.cache.now().Add(u.cache.opt.Lease), nil)
}

// Lost ends a unit when nobody knows whether its transaction was committed, such as after a
// panic out of COMMIT: the markers stay until their lease ends. It does nothing to a unit that
// has ended.
func (u *Unit) Lost() {
	if u != nil {
		u.lost()
	}
}
