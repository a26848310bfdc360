package storetest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/runtime/store"
)

// Step is one operation on a cell, at a moment of a clock that stands still between steps.
type Step struct {
	// Op is "read", "mark", "post", "bump" or "lose".
	Op string
	// Now is the clock in milliseconds.
	Now int64
	// Token of mark and post, and Lease of mark in milliseconds.
	Token string
	Lease int64
	// Fresh of read, post and bump; Known and Absent of bump.
	Fresh, Known store.Generation
	Absent       bool
}

// Cell is one cell of a store, driven step by step.
type Cell interface {
	// Step performs one and returns what it answers: the number of a store.Outcome for post
	// and bump, what State says for read, "" for the others.
	Step(Step) string
	// State is "absent", "g" and the generation, or the text of Markers.
	State(now int64) string
}

// Marker is a marker in a cell, for Markers.
type Marker struct {
	Token string
	Until int64
	Met   bool
}

// Markers writes down the markers of a cell that are in force, in the order of their tokens.
func Markers(now int64, list []Marker) string {
	var out []string
	for _, m := range list {
		if m.Until > now {
			out = append(out, fmt.Sprintf("%s until %d met %v", m.Token, m.Until, m.Met))
		}
	}
	if len(out) == 0 {
		return "absent"
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// promela is the cell of spec/strict.pml, its words and steps transcribed one by one. Where the
// model has one marker for each writer, it has one for each token.
type promela struct {
	gen store.Generation // "" is the model's 0
	mk  map[string]int64 // expiry by token
	met map[string]bool
}

func (c *promela) expire(now int64) {
	for token, until := range c.mk {
		if until <= now {
			c.unmark(token)
		}
	}
}

func (c *promela) pending() bool       { return len(c.mk) > 0 }
func (c *promela) unmark(token string) { delete(c.mk, token); delete(c.met, token) }

func (c *promela) meet() {
	for token := range c.mk {
		c.met[token] = true
	}
}

func (c *promela) mark(token string, until int64) {
	if have, ok := c.mk[token]; ok { // marked again: a longer lease
		c.mk[token] = max(have, until)
		return
	}
	c.met[token] = c.pending()
	if c.pending() {
		c.meet()
	}
	c.mk[token], c.gen = until, ""
}

func (c *promela) post(token string, fresh store.Generation) store.Outcome {
	if _, ok := c.mk[token]; !ok { // repair
		c.meet()
		if !c.pending() {
			c.gen = fresh + "r"
		}
		return store.Lost
	}
	mayput := !c.met[token]
	c.unmark(token)
	switch {
	case c.pending():
		return store.Pending
	case mayput:
		c.gen = fresh
		return store.Taken
	}
	c.gen = fresh + "r"
	return store.Replaced
}

// bump is the bump of an unmarked write, and postabsent.
func (c *promela) bump(s Step) store.Outcome {
	switch nocell := c.gen == "" && !c.pending(); {
	case c.pending():
		c.meet()
		return store.Pending
	case nocell && s.Absent, !nocell && c.gen == s.Known:
		c.gen = s.Fresh
		return store.Taken
	}
	c.gen = s.Fresh + "r"
	return store.Replaced
}

// Step implements Cell.
func (c *promela) Step(s Step) string {
	c.expire(s.Now)
	switch s.Op {
	case "read":
		if !c.pending() && c.gen == "" {
			c.gen = s.Fresh
		}
		return c.State(s.Now)
	case "mark":
		c.mark(s.Token, s.Now+s.Lease)
	case "post":
		return strconv.Itoa(int(c.post(s.Token, s.Fresh)))
	case "bump":
		return strconv.Itoa(int(c.bump(s)))
	default:
		*c = promela{mk: map[string]int64{}, met: map[string]bool{}}
	}
	return ""
}

// State implements Cell.
func (c *promela) State(now int64) string {
	if c.gen != "" {
		return "g" + string(c.gen)
	}
	var list []Marker
	for token, until := range c.mk {
		list = append(list, Marker{token, until, c.met[token]})
	}
	return Markers(now, list)
}

// Agree runs random schedules through the model's cell and through one of a store, and compares
// what they answer and what they hold after every step. open makes an absent cell. Leases last
// for hours of the steps' clock.
func Agree(t *testing.T, schedules, steps int, open func() Cell) {
	t.Helper()
	for seed := range uint64(schedules) {
		r := rand.New(rand.NewPCG(seed, 11))
		model, cell := &promela{mk: map[string]int64{}, met: map[string]bool{}}, open()
		now := int64(1_000_000_000)
		var history []Step
		for i := range steps {
			if r.IntN(3) == 0 {
				now += r.Int64N(3) * 1_800_000
			}
			s := randomStep(r, i, now, model.gen)
			history = append(history, s)
			want, got := model.Step(s), cell.Step(s)
			if have, should := cell.State(now), model.State(now); got != want || have != should {
				t.Fatalf("seed %d: answers %q and holds %q; the model answers %q and holds %q, after\n%s",
					seed, got, have, want, should, told(history))
			}
		}
	}
}

// told writes down steps, one a line.
func told(steps []Step) string {
	var b strings.Builder
	for _, s := range steps {
		fmt.Fprintf(&b, "%+v\n", s)
	}
	return b.String()
}

// randomStep makes a step; tokens are few, so that writes overlap, and some look alike.
func randomStep(r *rand.Rand, i int, now int64, gen store.Generation) Step {
	s := Step{
		Now: now, Token: []string{"a", "b", "ab", "m1", "g"}[r.IntN(5)], Lease: (1 + r.Int64N(4)) * 3_600_000,
		Fresh: store.Generation("1x" + strconv.Itoa(i)), Absent: r.IntN(2) == 0,
	}
	if r.IntN(3) > 0 {
		s.Known = gen
	} else if r.IntN(2) == 0 {
		s.Known = "0xother"
	}
	s.Op = []string{"read", "mark", "mark", "mark", "post", "post", "post", "bump", "bump", "lose"}[r.IntN(10)]
	if s.Op == "lose" && r.IntN(3) > 0 {
		s.Op = "read"
	}
	return s
}
