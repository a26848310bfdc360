package cachecheck

// object is what the judge knows about one object.
type object struct {
	acked floor // writes, of everybody
	known floor // writes and reads, of everybody
	own   map[uint32]*floor
	ownBy map[view]*floor

	values  [64]value        // by version, the newest
	unborn  map[uint64]Event // first reads of versions whose write is not known yet
	deletes []*deletion      // that may explain "not there"
	recent  [ringSize]Event  // for reports
	at      uint64           // events so far
}

// view is a way in which a process reads an object.
type view struct {
	process uint32
	view    uint8
}

type value struct {
	version, value uint64
	by             Event
}

// deletion is one that has begun. While its outcome is not known it may explain any answer
// "not there"; afterwards only one that is not due to something newer.
type deletion struct {
	begun   Event
	open    bool
	below   uint64 // explains "not there" for floors below it; 0: for all
	settled int64  // when its process has certainly let go of the database; 0: not yet
}

const ringSize = 48

func (o *object) remember(e Event) {
	o.recent[o.at%ringSize] = e
	o.at++
}

// between lists the remembered events that overlap the time from a to b, in order of their ends.
func (o *object) between(a, b int64) []Event {
	var out []Event
	for i := range uint64(ringSize) {
		e := o.recent[(o.at+i)%ringSize]
		if e.Kind != 0 && e.End >= a && e.Start <= b {
			out = append(out, e)
		}
	}
	return out
}

// ownFloor is what its own process has been acknowledged, and has read in the same view.
func (o *object) ownFloors(p uint32, v uint8) (acked, read *floor) {
	return o.own[p], o.ownBy[view{p, v}]
}

func raiseIn[K comparable](m *map[K]*floor, k K, e Event) {
	if *m == nil {
		*m = map[K]*floor{}
	}
	f := (*m)[k]
	if f == nil {
		f = &floor{}
		(*m)[k] = f
	}
	f.raise(e)
}

// begin notes a deletion that is under way.
func (o *object) begin(e Event) {
	if !e.Present {
		o.deletes = append(o.deletes, &deletion{begun: e, open: true})
	}
}

// grace is how long after the death of a process, or the end of a call of unknown outcome, the
// database may still commit what it was asked to.
const grace = int64(10e9)

// end closes the deletion that e is the end of, and bounds what others explain: what is
// acknowledged after a deletion has had its last chance is newer than it.
func (o *object) end(e Event) {
	rest := o.deletes[:0]
	for _, d := range o.deletes {
		if d.open && d.begun.Process == e.Process && d.begun.Client == e.Client && d.begun.Start == e.Start {
			d.open = false
			switch e.Outcome {
			case Failed:
				continue
			case OK:
				d.below = e.Version
			case Unknown:
				d.settled = e.End + grace
			}
		}
		if e.Outcome == OK && d.below == 0 && d.settled != 0 && e.Start > d.settled {
			d.below = e.Version
		}
		if low, ok := o.acked.at(e.Start - grace); ok && d.below != 0 && d.below <= low.Version {
			continue // reads that are still to come have higher floors
		}
		rest = append(rest, d)
	}
	clear(o.deletes[len(rest):])
	o.deletes = rest
}

// abandoned tells of a client that has died inside a call.
func (o *object) abandoned(process, client uint32, at int64) {
	for _, d := range o.deletes {
		if d.open && d.begun.Process == process && d.begun.Client == client {
			d.open, d.settled = false, at+grace
		}
	}
}

// mayBeGone reports whether a read that found nothing, until end, agrees with a floor.
func (o *object) mayBeGone(low Event, end int64) bool {
	if !low.Present {
		return true
	}
	for _, d := range o.deletes {
		if d.begun.Start <= end && (d.below == 0 || d.below > low.Version) {
			return true
		}
	}
	return false
}
