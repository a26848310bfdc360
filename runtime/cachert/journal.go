package cachert

import (
	"container/heap"
	"time"
)

// journal holds the invalidations that are owed to the store, each due at a time of its own. Of
// one that is owed several times it keeps the first and the last time. At the first it is
// delivered, and owed from then on at the last: so none is delivered before it is due, and none
// is forgotten, or put off again and again by those that follow it. Adding and taking one
// costs O(log n).
//
// A journal is guarded by the gate's mutex.
type journal struct {
	debts map[undelivered]*debt
	due   dueHeap
}

// undelivered is an invalidation still owed to the store: a marker to be ended, or with an
// empty token a cell to be renewed.
type undelivered struct{ cell, token string }

type debt struct {
	undelivered
	first, last time.Time
	index       int // in the heap
}

func newJournal() *journal { return &journal{debts: map[undelivered]*debt{}} }

func (j *journal) len() int { return len(j.due) }

// add owes u at a time, and reports whether nothing else is due before that.
func (j *journal) add(u undelivered, at time.Time) (next bool) {
	d, ok := j.debts[u]
	switch {
	case !ok:
		d = &debt{undelivered: u, first: at, last: at}
		j.debts[u] = d
		heap.Push(&j.due, d)
	case at.Before(d.first):
		d.first = at
		heap.Fix(&j.due, d.index)
	case at.After(d.last):
		d.last = at
	}
	return j.due[0] == d && d.first.Equal(at)
}

// next is when the first debt is due; false when there is none.
func (j *journal) next() (time.Time, bool) {
	if len(j.due) == 0 {
		return time.Time{}, false
	}
	return j.due[0].first, true
}

// take removes up to most debts that are due.
func (j *journal) take(now time.Time, most int) (due []undelivered) {
	for len(due) < most && len(j.due) > 0 && !j.due[0].first.After(now) {
		d := j.due[0]
		due = append(due, d.undelivered)
		if d.last.After(now) {
			d.first = d.last
			heap.Fix(&j.due, 0)
		} else {
			heap.Pop(&j.due)
			delete(j.debts, d.undelivered)
		}
	}
	return due
}

// clear empties the journal and returns the last time at which something was due.
func (j *journal) clear() (last time.Time) {
	for _, d := range j.due {
		if d.last.After(last) {
			last = d.last
		}
	}
	*j = *newJournal()
	return last
}

// dueHeap implements heap.Interface.
type dueHeap []*debt

func (h dueHeap) Len() int           { return len(h) }
func (h dueHeap) Less(a, b int) bool { return h[a].first.Before(h[b].first) }

func (h dueHeap) Swap(a, b int) {
	h[a], h[b] = h[b], h[a]
	h[a].index, h[b].index = a, b
}

// Push adds a *debt.
func (h *dueHeap) Push(x any) {
	d := x.(*debt)
	d.index = len(*h)
	*h = append(*h, d)
}

// Pop removes the last *debt.
func (h *dueHeap) Pop() any {
	old := *h
	d := old[len(old)-1]
	old[len(old)-1] = nil
	*h = old[:len(old)-1]
	return d
}
