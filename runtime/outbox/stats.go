package outbox

import "sync/atomic"

// Stats is what an Outbox has counted in this process.
type Stats struct {
	Added      uint64 // rows written; those of transactions that were rolled back, too
	Refused    uint64 // rows that could not be written, and with them their writes
	Deleted    uint64 // rows given up because their writer told the store
	LeftBehind uint64 // rows of which the store was told and that were not deleted: a needless invalidation each

	Delivered uint64 // rows delivered by the relay
	Postponed uint64 // rows that the store refused while it took others; tried again later
	SetAside  uint64 // rows that could not be read: due is NULL, look at them and delete them
	Passes    uint64 // looks of the relay at the table
	Failures  uint64 // of these, ended by an error of the database or the store
	Wakes     uint64 // notifications
}

type counters struct {
	added, refused, deleted, leftBehind                     atomic.Uint64
	delivered, postponed, setAside, passes, failures, wakes atomic.Uint64
}

// Stats returns what has been counted so far.
func (b *Outbox) Stats() Stats {
	c := &b.stats
	return Stats{
		Added: c.added.Load(), Refused: c.refused.Load(), Deleted: c.deleted.Load(), LeftBehind: c.leftBehind.Load(),
		Delivered: c.delivered.Load(), Postponed: c.postponed.Load(), SetAside: c.setAside.Load(),
		Passes: c.passes.Load(), Failures: c.failures.Load(), Wakes: c.wakes.Load(),
	}
}
