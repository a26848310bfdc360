package cachecheck

import "time"

// Debts are the times in which some process owed an invalidation that others had not been told
// of. Meanwhile, and for the bound of its level after that, a read may be older than the bound
// and, where it first asked the database and then the store, older than an earlier one. A process
// that dies owing leaves what it owed for as long as entries live.
type Debts struct {
	// Windows counts the times in which one process owed something, Died those of them that
	// ended with its death; Time is their sum.
	Windows, Died uint64
	Time          time.Duration
}

// debts are the live form of Debts.
type debts struct {
	since map[uint32]int64 // by process, those that owe
	last  int64            // when the last one to pay had paid
	died  bool             // one has died owing
	sum   Debts
}

// add takes a Debt, or the death of a process.
func (d *debts) add(e Event) {
	since, owes := d.since[e.Process]
	switch {
	case e.Kind == Debt && e.Present && !owes:
		if d.since == nil {
			d.since = map[uint32]int64{}
		}
		d.since[e.Process] = e.End
		d.sum.Windows++
	case e.Kind == Debt && !e.Present && owes:
		delete(d.since, e.Process)
		d.last = e.End
		d.sum.Time += time.Duration(e.End - since)
	case e.Kind == Done && e.Outcome == Unknown && owes:
		delete(d.since, e.Process)
		d.died = true
		d.sum.Died++
		d.sum.Time += time.Duration(e.End - since)
	}
}

// excuse reports whether somebody owed something within the bound before a read began, or while
// it ran. It is asked about the read that was judged last.
func (d *debts) excuse(read Event, bound time.Duration) bool {
	return d.died || len(d.since) > 0 || d.last != 0 && read.Start <= d.last+int64(bound)
}
