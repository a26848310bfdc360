package cachert

import "sync/atomic"

// Voids counts the moments in which an assumption did not hold on which a promise of a level
// rests, as far as this process can tell. Zero all over means that nothing is known to have
// made a promise void. A process that dies inside of such a window counts nothing.
type Voids struct {
	// MarkersLost counts markers that were gone before their write ended: the lease was
	// over, the cell was evicted, flushed, or lost in a failover. Between the loss and the post
	// a reader may have been handed the old version after the commit. Void for that write and
	// its tags: strict, leased, and at session what covers a crash. The post has repaired it.
	MarkersLost uint64
	// Untold counts marked writes that went on although the store could not be told
	// beforehand (OnErrorProceed, OnErrorOutbox). Void as above, from the commit until the invalidation is
	// delivered, or until the TTL if this process dies before that.
	Untold uint64
	// Undelivered counts invalidations of tags without a marker that did not reach the store
	// at once and are journalled: of bounded and eventual writes, and of tags known only from
	// the result. Void for other processes: the bound of bounded and session, until delivered
	// (Stats.Journal is 0), or until the TTL if this process dies before that.
	Undelivered uint64
	// Unknown counts writes whose outcome is unknown or whose commit is not seen. Their
	// markers stay for the rest of the lease. Void, as with MarkersLost, only if the database
	// commits later than that, and then until the TTL.
	Unknown uint64
	// Overdue counts marked writes during which the deadline passed that the lease sets for
	// the source. Of those that ended well the commit came late, if not too late: either the
	// source does not heed its context, or Options.Lease is short.
	Overdue uint64
	// ServerChanges counts other servers behind the connection: a restart, a failover, a
	// cluster that has grown. Marks and invalidations that the new one does not know are
	// lost: void, for writes that were under way, are strict and leased; for other processes,
	// until they have noticed too, every level. What was cached before is given up.
	ServerChanges uint64
}

// voids are the live form of what no method's counters hold.
type voids struct{ undelivered, untolds, overdues atomic.Uint64 }

func (v *voids) untold(m *counters, err error) {
	v.untolds.Add(1)
	m.observe(EventUntold, 0, err)
}

func (v *voids) overdue(m *counters, err error) {
	v.overdues.Add(1)
	m.observe(EventOverdue, 0, err)
}

func (v *voids) notDelivered(m *counters, cells int, err error) {
	if cells > 0 {
		v.undelivered.Add(uint64(cells))
		m.observe(EventUndelivered, 0, err)
	}
}

// sum adds up Stats.Voids from these and from what the methods have counted.
func (v *voids) sum(changes uint64, methods []MethodStats) Voids {
	out := Voids{
		Undelivered: v.undelivered.Load(), Untold: v.untolds.Load(), Overdue: v.overdues.Load(), ServerChanges: changes,
	}
	for _, m := range methods {
		out.MarkersLost += m.MarkersLost
		out.Unknown += m.Unknown
	}
	return out
}

// lapsed counts a near value that was alive, but not proved.
func (c *counters) lapsed() {
	c.nearLapsed.Add(1)
	c.observe(EventNearLapsed, 0, nil)
}

func (c *counters) refuse(err error) {
	c.refused.Add(1)
	c.observe(EventRefused, 0, err)
}

func (c *counters) unknownOutcome() {
	c.unknown.Add(1)
	c.observe(EventUnknown, 0, nil)
}
