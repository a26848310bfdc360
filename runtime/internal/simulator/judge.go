package simulator

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// op is one call of a caller, and what its ports have done for it. The world's lock guards it.
type op struct {
	w       *world
	p       *process
	name    string // of the caller and the call
	touched int64  // the row that it has changed last, -1: none
	creates bool   // its row's key is known only after the commit

	user    *user            // nil: nobody who goes from process to process
	session *cachert.Session // of user
	follows int64            // the row that the call before has changed, -1: none
	over    bool             // the call has ended, and the token of user knows of it

	marked    map[string]bool // cells that answered a mark
	answered  bool            // by the database, with the row it has left
	committed bool
	wasTold   bool
	toldAt    time.Duration // the cache was told of the commit
}

type opKey struct{}

func operation(ctx context.Context) *op {
	o, _ := ctx.Value(opKey{}).(*op)
	return o
}

// caller names who calls, for the identity of steps.
func caller(ctx context.Context) string {
	if o := operation(ctx); o != nil {
		return o.name
	}
	return "keeper"
}

func (o *op) mark(cells []string) {
	if o == nil {
		return
	}
	o.w.state.Lock()
	defer o.w.state.Unlock()
	for _, c := range cells {
		o.marked[c] = true
	}
}

func (o *op) hasCommitted() bool {
	if o == nil {
		return false
	}
	o.w.state.Lock()
	defer o.w.state.Unlock()
	return o.committed
}

// tell notes that what the call has committed has been told: all of it that it knows of.
func (o *op) tell() {
	o.w.state.Lock()
	defer o.w.state.Unlock()
	if known := !o.creates || o.answered; known && !o.wasTold {
		o.wasTold, o.toldAt = true, o.w.now()
	}
}

// asked is what a read has to be held against, taken when it begins.
type asked struct {
	object string
	floor  int
	why    string
	from   time.Duration
}

// ask fixes the floor of a read that begins now: the state of its object below which the level
// promises not to go.
func (w *world) ask(o *op, object string, fresh bool) asked {
	w.state.Lock()
	defer w.state.Unlock()
	a := asked{object: object, from: w.now()}
	h := w.db.objects[object]
	if w.class != Within {
		return a
	}
	due := func(why string, ok func(state) bool) {
		if floor := h.reach(0, len(h.states)-1, ok); floor > a.floor {
			a.floor, a.why = floor, why
		}
	}
	if fresh {
		due("a strict read after a commit that had been announced or told", func(st state) bool { return st.bound || st.by.wasTold })
	}
	if h.class == leased {
		due("a leased read after a commit that had been announced", func(st state) bool { return st.bound || st.told(a.from-staleness) })
	}
	if h.class == bounded && !w.hangs {
		due("a read after the last push of a commit had come", func(st state) bool { return st.bound || st.told(a.from-travel-time.Microsecond) })
	}
	if h.class != eventual {
		due("a read later than the bound after a commit that had been announced or told", func(st state) bool {
			return st.bound && st.at <= a.from-staleness || st.told(a.from-staleness)
		})
	}
	if f := o.p.floors[object]; h.class.marked() && f > a.floor {
		a.floor, a.why = f, "a read of a process that had written or read it"
	}
	if o.user != nil {
		if f := o.user.floor(object, h); f > a.floor {
			a.floor, a.why = f, "a read of a session that had written or read it"
		}
	}
	return a
}

// told reports whether the cache had been told of the commit by the given time.
func (st state) told(by time.Duration) bool { return st.by.wasTold && st.by.toldAt <= by }

// answer judges the result of a read and raises the floors of its process.
func (w *world) answer(o *op, a asked, rows []row, session bool) {
	w.state.Lock()
	defer w.state.Unlock()
	w.reads++
	h := w.db.objects[a.object]
	value := text(rows)
	at := -1
	for i := a.floor; i < len(h.states); i++ {
		if h.states[i].value == value && (h.class != eventual || !w.outlived(h, i, a.from)) {
			at = i
			break
		}
	}
	if at < 0 {
		w.violate("%s returned %s = %q%s", o.p.name, a.object, value, w.verdict(h, a, value))
		return
	}
	if !session {
		return
	}
	known := func(st state) bool { return st.bound || st.by.wasTold }
	o.p.floors[a.object] = h.reach(o.p.floors[a.object], at, known)
	if o.user != nil {
		o.user.seen[a.object] = h.reach(o.user.seen[a.object], at, known)
	}
}

// reach is the last state after from, and not after to, that a read may not miss any more because
// of what ok says of commits. A row's commits all concern the same tag; what a list is made of
// changes tags, so there a commit that somebody may miss hides what follows it.
func (h *history) reach(from, to int, ok func(state) bool) int {
	for i := from + 1; i <= to; i++ {
		if ok(h.states[i]) {
			from = i
		} else if h.list {
			break
		}
	}
	return from
}

// outlived reports whether state i was replaced longer ago than an entry lives. A load and a
// fill may each take their time before that begins.
func (w *world) outlived(h *history, i int, from time.Duration) bool {
	slack := 70*time.Millisecond + lateAtMost
	return w.class == Within && i+1 < len(h.states) && h.states[i+1].at < from-eventualTTL-slack
}

func (w *world) verdict(h *history, a asked, value string) string {
	for i, st := range h.states {
		if st.value == value && i+1 < len(h.states) {
			next := h.states[min(max(a.floor, i+1), len(h.states)-1)]
			by := "the beginning"
			if next.by != nil {
				by = next.by.name
			}
			return fmt.Sprintf(", replaced %v by %s; want %q (of %s at %v) or later: %s, at %v", h.states[i+1].at, by, next.value, by, next.at, a.why, a.from)
		}
	}
	return ", which was never committed"
}

// acknowledge raises the floors of the process whose write has returned nil.
func (w *world) acknowledge(o *op) {
	w.state.Lock()
	defer w.state.Unlock()
	for object, h := range w.db.objects {
		if !h.class.marked() {
			continue
		}
		for i, st := range h.states {
			if st.by == o && i > o.p.floors[object] {
				o.p.floors[object] = h.reach(o.p.floors[object], i, func(st state) bool { return st.bound || st.by.wasTold || st.by == o })
			}
		}
	}
}

// excused reports whether an object may stay stale until its TTL: a commit of it that nobody
// had announced came from a process that died, or created a row and was not heard of, so that
// nobody knows the row's key.
func (w *world) excused(object string) bool {
	for _, st := range w.db.objects[object].states {
		if !st.bound && (st.by.p.killed || st.by.creates && !st.by.answered) {
			return true
		}
	}
	return false
}

// violate notes a broken promise.
func (w *world) violate(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	w.note("VIOLATION " + text)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.violations = append(w.violations, text)
}
