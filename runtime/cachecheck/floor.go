package cachecheck

import "sort"

// floor is what reads of one object must not fall below, as it rose over time: steps of rising
// versions, in the order of the ends of what raised them.
type floor struct{ steps []Event }

// kept bounds a floor. What is forgotten is the oldest: of a read that began before it is known
// too little to be blamed.
const kept = 2048

// raise adds what e says, which ended no earlier than anything added before.
func (f *floor) raise(e Event) {
	if n := len(f.steps); n > 0 && f.steps[n-1].Version >= e.Version {
		return
	}
	if len(f.steps) == 2*kept {
		f.steps = append(f.steps[:0], f.steps[kept:]...)
	}
	f.steps = append(f.steps, e)
}

// at is the highest step that had ended before t.
func (f *floor) at(t int64) (Event, bool) {
	if f == nil {
		return Event{}, false
	}
	n := len(f.steps)
	if n > 0 && f.steps[n-1].End < t { // nearly always
		return f.steps[n-1], true
	}
	i := sort.Search(n, func(i int) bool { return f.steps[i].End >= t })
	if i == 0 {
		return Event{}, false
	}
	return f.steps[i-1], true
}

// above is the first step of a higher version than v: what made v old.
func (f *floor) above(v uint64) (Event, bool) {
	if f == nil {
		return Event{}, false
	}
	i := sort.Search(len(f.steps), func(i int) bool { return f.steps[i].Version > v })
	if i == len(f.steps) {
		return Event{}, false
	}
	return f.steps[i], true
}
