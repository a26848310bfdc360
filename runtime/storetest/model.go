package storetest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/runtime/store"
)

// The oracle: one cell as a value, written from the port's contract alone and as plainly as
// possible. It is deliberately not built like any store.

// state is absent (the zero value), a generation, or a set of writes.
type state struct {
	generation store.Generation
	writes     []write // in the order of marking
}

type write struct {
	token   string
	spoiled bool
}

// unknown is a generation that the store made up and nobody has seen yet. The first read
// that sees it says what it is.
const unknown store.Generation = "?"

// action is one operation on one cell, with what the store answered.
type action struct {
	kind    kind
	token   string           // mark, post
	fresh   store.Generation // read, post, bump
	known   store.Generation // bump
	absent  bool             // bump
	seen    store.Cell       // the answer to a read
	outcome store.Outcome    // the answer to a post or a bump
}

type kind uint8

const (
	reads kind = iota
	marks
	posts
	bumps
	evicts
)

func (a action) String() string {
	switch a.kind {
	case reads:
		return fmt.Sprintf("read (offers %s) saw %q marked %v", a.fresh, a.seen.Generation, a.seen.Marked)
	case marks:
		return "mark " + a.token
	case posts:
		return fmt.Sprintf("post %s (offers %s): outcome %d", a.token, a.fresh, a.outcome)
	case bumps:
		return fmt.Sprintf("bump (knows %q, absent %v, offers %s): outcome %d", a.known, a.absent, a.fresh, a.outcome)
	default:
		return "evict"
	}
}

// step returns the state after a, or an error when the store's answer is none that the
// contract allows in this state. old lists generations that the store may not make up.
func (s state) step(a action, old map[store.Generation]bool) (state, error) {
	switch a.kind {
	case evicts:
		return state{}, nil
	case reads:
		return s.read(a, old)
	case marks:
		return s.mark(a.token), nil
	}
	next, outcome := s.post(a)
	if a.kind == bumps {
		next, outcome = s.bump(a)
	}
	if outcome != a.outcome {
		return s, fmt.Errorf("outcome %d, want %d", a.outcome, outcome)
	}
	return next, nil
}

func (s state) read(a action, old map[store.Generation]bool) (state, error) {
	if a.seen.Marked != (len(s.writes) > 0) {
		return s, fmt.Errorf("marked %v with %d writes in progress", a.seen.Marked, len(s.writes))
	}
	switch {
	case a.seen.Marked:
		return s, nil
	case s.generation == unknown:
		if old[a.seen.Generation] {
			return s, fmt.Errorf("generation %q, which is not new", a.seen.Generation)
		}
		return state{generation: a.seen.Generation}, nil
	case s.generation == "" && a.seen.Generation == a.fresh:
		return state{generation: a.fresh}, nil
	case s.generation == "" || s.generation != a.seen.Generation:
		return s, fmt.Errorf("generation %q, want %q", a.seen.Generation, s.generation)
	}
	return s, nil
}

func (s state) mark(token string) state {
	if s.has(token) {
		return s
	}
	next := s.spoil()
	next.generation = ""
	next.writes = append(next.writes, write{token: token, spoiled: len(s.writes) > 0})
	return next
}

func (s state) post(a action) (state, store.Outcome) {
	if !s.has(a.token) {
		if len(s.writes) > 0 {
			return s.spoil(), store.Lost
		}
		return state{generation: unknown}, store.Lost
	}
	var rest []write
	spoiled := false
	for _, w := range s.writes {
		if w.token == a.token {
			spoiled = w.spoiled
		} else {
			rest = append(rest, w)
		}
	}
	switch {
	case len(rest) > 0:
		return state{writes: rest}, store.Pending
	case spoiled:
		return state{generation: unknown}, store.Replaced
	}
	return state{generation: a.fresh}, store.Taken
}

func (s state) bump(a action) (state, store.Outcome) {
	switch {
	case len(s.writes) > 0:
		return s.spoil(), store.Pending
	case s.generation == "" && a.absent, s.generation != "" && s.generation == a.known:
		return state{generation: a.fresh}, store.Taken
	}
	return state{generation: unknown}, store.Replaced
}

func (s state) has(token string) bool {
	return slices.ContainsFunc(s.writes, func(w write) bool { return w.token == token })
}

func (s state) spoil() state {
	next := state{generation: s.generation}
	for _, w := range s.writes {
		next.writes = append(next.writes, write{token: w.token, spoiled: true})
	}
	return next
}

// key makes states comparable: the order of writes does not matter.
func (s state) key() string {
	var b strings.Builder
	b.WriteString(string(s.generation))
	for _, w := range slices.SortedFunc(slices.Values(s.writes), func(x, y write) int { return strings.Compare(x.token, y.token) }) {
		fmt.Fprintf(&b, "|%s,%v", w.token, w.spoiled)
	}
	return b.String()
}
