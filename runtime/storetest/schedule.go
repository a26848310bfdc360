package storetest

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"

	"github.com/cachegen/cachegen/runtime/store"
)

var modelCases = []testcase{
	{"random schedules, one step after another", func(s *suite) {
		for seed := range uint64(s.rounds(20)) {
			s.sequential(rand.New(rand.NewPCG(seed, 1)), 200)
			if s.Failed() {
				s.Fatalf("seed %d", seed)
			}
		}
	}},
	{"random schedules, concurrent, are explained by some order of the cell's steps", func(s *suite) {
		for seed := range uint64(s.rounds(300)) {
			s.concurrent(seed, false)
			if s.Failed() {
				s.Fatalf("seed %d", seed)
			}
		}
	}},
	{"random schedules, concurrent, with evictions", func(s *suite) {
		for seed := range uint64(s.rounds(100)) {
			s.concurrent(seed, true)
			if s.Failed() {
				s.Fatalf("seed %d", seed)
			}
		}
	}},
}

// actor performs random actions on one cell through one client, as a process would: it posts
// what it has marked, mostly, and bumps what it has seen, mostly.
type actor struct {
	s      *suite
	client store.Store
	cell   string
	rnd    *rand.Rand
	evicts bool
	tokens []string         // of its writes in progress and some that have ended
	known  store.Generation // last seen
}

func (p *actor) act() action {
	p.s.Helper()
	switch n := p.rnd.IntN(100); {
	case n < 35:
		a := action{kind: reads, fresh: p.s.fresh()}
		reply, err := p.client.Read(p.s.ctx(), store.ReadRequest{
			Cells: []string{p.cell}, Fresh: func() store.Generation { return a.fresh }, CellTTL: long,
		})
		p.check(err)
		if err == nil {
			a.seen = reply.Cells[0]
			p.known = a.seen.Generation
		}
		return a
	case n < 60 || n < 85 && len(p.tokens) == 0:
		if len(p.tokens) == 0 || p.rnd.IntN(5) > 0 {
			p.tokens = append(p.tokens, p.s.token())
		}
		a := action{kind: marks, token: p.tokens[len(p.tokens)-1]}
		_, err := p.client.Mark(p.s.ctx(), store.MarkRequest{
			Token: a.token, Cells: []string{p.cell}, Lease: long, Fresh: p.s.fresh, CellTTL: long,
		})
		p.check(err)
		return a
	case n < 85:
		i := p.rnd.IntN(len(p.tokens))
		a := action{kind: posts, token: p.tokens[i], fresh: p.s.fresh()}
		if p.rnd.IntN(8) > 0 { // else it will be posted, or marked, once more
			p.tokens = append(p.tokens[:i:i], p.tokens[i+1:]...)
		}
		a.outcome = p.post(store.PostRequest{Token: a.token, Cells: []store.PostCell{{Key: p.cell, Fresh: a.fresh}}, CellTTL: long})
		return a
	case n < 95 || !p.evicts:
		a := action{kind: bumps, known: p.known, absent: p.rnd.IntN(2) == 0, fresh: p.s.fresh()}
		a.outcome = p.post(store.PostRequest{
			Bumps: []store.BumpCell{{Key: p.cell, Known: a.known, Absent: a.absent, Fresh: a.fresh}}, CellTTL: long,
		})
		return a
	default:
		p.s.Evict(p.s.T, p.cell)
		return action{kind: evicts}
	}
}

func (p *actor) post(r store.PostRequest) store.Outcome {
	reply, err := p.client.Post(p.s.ctx(), r)
	p.check(err)
	if err != nil || len(reply.Outcomes) != 1 {
		p.s.Errorf("Post of one cell: %v, %v", reply.Outcomes, err)
		return 0
	}
	return reply.Outcomes[0]
}

func (p *actor) check(err error) {
	if err != nil {
		p.s.Error(err)
	}
}

// sequential drives one cell through both clients and compares every answer.
func (s *suite) sequential(rnd *rand.Rand, steps int) {
	s.Helper()
	cell, old := s.cell(), map[store.Generation]bool{}
	actors := []*actor{
		{s: s, client: s.Store, cell: cell, rnd: rnd, evicts: true},
		{s: s, client: s.Other, cell: cell, rnd: rnd, evicts: true},
	}
	var at state
	var history []action
	for range steps {
		a := actors[rnd.IntN(len(actors))].act()
		history = append(history, a)
		next, err := at.step(a, old)
		if err != nil || s.Failed() {
			s.Errorf("in state %+v: %v", at, err)
			for _, a := range history[max(0, len(history)-8):] {
				s.Log(a)
			}
			return
		}
		at = next
		old[a.fresh], old[a.seen.Generation] = true, true
	}
}

// span is an action with the moments between which it took effect.
type span struct {
	action
	from, to int64
}

// concurrent lets four actors loose on one cell and looks for an order of their actions, in
// keeping with which came wholly before which, that the model accepts (Wing and Gong, 1993).
func (s *suite) concurrent(seed uint64, evicts bool) {
	s.Helper()
	const actors, actions = 4, 4
	var (
		cell  = s.cell()
		clock atomic.Int64
		start = make(chan struct{})
		spans [actors][]span
		wg    sync.WaitGroup
	)
	for i := range actors {
		p := &actor{
			s: s, cell: cell, evicts: evicts,
			client: []store.Store{s.Store, s.Other}[i%2],
			rnd:    rand.New(rand.NewPCG(seed, uint64(i))),
		}
		wg.Go(func() {
			<-start
			for range actions {
				from := clock.Add(1)
				a := p.act()
				spans[i] = append(spans[i], span{action: a, from: from, to: clock.Add(1)})
			}
		})
	}
	close(start)
	wg.Wait()
	if s.Failed() {
		return
	}
	var all []span
	old := map[store.Generation]bool{}
	for _, own := range spans {
		for _, sp := range own {
			all = append(all, sp)
			old[sp.fresh] = true
		}
	}
	if !explain(all, old) {
		s.Errorf("no order of these explains the answers:")
		for i, own := range spans {
			for _, sp := range own {
				s.Logf("actor %d [%d,%d] %v", i, sp.from, sp.to, sp.action)
			}
		}
	}
}

// explain searches depth first; what it has tried in vain it remembers.
func explain(all []span, offered map[store.Generation]bool) bool {
	type point struct {
		done uint64
		at   string
	}
	vain := map[point]bool{}
	var search func(done uint64, at state) bool
	search = func(done uint64, at state) bool {
		if done == 1<<len(all)-1 {
			return true
		}
		here := point{done, at.key()}
		if vain[here] {
			return false
		}
		for i, sp := range all {
			if done&(1<<i) != 0 || !mayBeNext(all, done, sp) {
				continue
			}
			if next, err := at.step(sp.action, offered); err == nil && search(done|1<<i, next) {
				return true
			}
		}
		vain[here] = true
		return false
	}
	return search(0, state{})
}

// mayBeNext reports that no action still to come ended before sp began.
func mayBeNext(all []span, done uint64, sp span) bool {
	for i, other := range all {
		if done&(1<<i) == 0 && other.to < sp.from {
			return false
		}
	}
	return true
}
