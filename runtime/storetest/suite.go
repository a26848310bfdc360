package storetest

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// The suite's times: long enough never to pass during a case, and short enough to wait for.
const (
	long  = time.Minute
	short = 60 * time.Millisecond
	// patience is how long something that must happen soon may take on a loaded machine.
	patience = 10 * time.Second
)

// suite is one case at work: the fixture and short ways to call it. A call that fails fails
// the case.
type suite struct {
	*testing.T
	Fixture
	prefix string
	serial atomic.Int64
}

func newSuite(t *testing.T, f Fixture) *suite {
	return &suite{T: t, Fixture: f, prefix: "storetest-" + rand.Text()[:10]}
}

func (s *suite) ctx() context.Context {
	ctx, cancel := context.WithTimeout(s.Context(), patience)
	s.Cleanup(cancel)
	return ctx
}

// cell returns the key of a cell that no case has used; each has a cluster slot of its own.
func (s *suite) cell() string {
	return fmt.Sprintf("%s:{tag:%d}", s.prefix, s.serial.Add(1))
}

// entry returns a new key of an entry in the slot of cell.
func (s *suite) entry(cell string) string {
	return fmt.Sprintf("%s:entry:%d", cell, s.serial.Add(1))
}

func (s *suite) token() string { return fmt.Sprintf("w%d", s.serial.Add(1)) }

func (s *suite) fresh() store.Generation {
	return store.Generation(fmt.Sprintf("0.%s.%08x", s.prefix[10:], s.serial.Add(1)))
}

// read reads cells through c from the primary and checks what holds for every such read.
func (s *suite) read(c store.Store, cells ...string) []store.Cell {
	s.Helper()
	reply, err := c.Read(s.ctx(), store.ReadRequest{Cells: cells, Fresh: s.fresh, CellTTL: long})
	if err != nil {
		s.Fatalf("Read: %v", err)
	}
	if len(reply.Cells) != len(cells) {
		s.Fatalf("Read of %d cells returned %d", len(cells), len(reply.Cells))
	}
	for _, got := range reply.Cells {
		if got.Marked != (got.Generation == "") {
			s.Fatalf("Read returned %+v: want either a mark or a generation", got)
		}
		if got.Live != nil {
			s.Fatalf("Read without Near returned a promise")
		}
	}
	return reply.Cells
}

// generation reads one cell that must not be marked.
func (s *suite) generation(c store.Store, cell string) store.Generation {
	s.Helper()
	got := s.read(c, cell)[0]
	if got.Marked {
		s.Fatalf("cell %s is marked", cell)
	}
	return got.Generation
}

// wantMarked checks that both clients see a mark.
func (s *suite) wantMarked(cell string) {
	s.Helper()
	for _, c := range []store.Store{s.Store, s.Other} {
		if got := s.read(c, cell)[0]; !got.Marked {
			s.Fatalf("cell %s: %+v, want it marked", cell, got)
		}
	}
}

// wantGeneration checks that both clients see g.
func (s *suite) wantGeneration(cell string, g store.Generation) {
	s.Helper()
	for _, c := range []store.Store{s.Store, s.Other} {
		if got := s.generation(c, cell); got != g {
			s.Fatalf("cell %s: generation %q, want %q", cell, got, g)
		}
	}
}

// wantAnother checks that both clients see the same generation, none of those in not.
func (s *suite) wantAnother(cell string, not ...store.Generation) store.Generation {
	s.Helper()
	got := s.generation(s.Store, cell)
	for _, g := range not {
		if got == g {
			s.Fatalf("cell %s: generation %q again", cell, g)
		}
	}
	s.wantGeneration(cell, got)
	return got
}

func (s *suite) mark(c store.Store, token string, lease time.Duration, cells ...string) {
	s.Helper()
	_, err := c.Mark(s.ctx(), store.MarkRequest{Token: token, Cells: cells, Lease: lease, Fresh: s.fresh, CellTTL: long})
	if err != nil {
		s.Fatalf("Mark: %v", err)
	}
}

// post ends token's mark on one cell and returns the generation it offered.
func (s *suite) post(c store.Store, token, cell string, want store.Outcome) store.Generation {
	s.Helper()
	fresh := s.fresh()
	got := s.postAll(c, store.PostRequest{Token: token, Cells: []store.PostCell{{Key: cell, Fresh: fresh}}})
	s.wantOutcomes(got, want)
	return fresh
}

// bump bumps one cell and returns the generation it offered.
func (s *suite) bump(c store.Store, b store.BumpCell, want store.Outcome) store.Generation {
	s.Helper()
	b.Fresh = s.fresh()
	s.wantOutcomes(s.postAll(c, store.PostRequest{Bumps: []store.BumpCell{b}}), want)
	return b.Fresh
}

func (s *suite) postAll(c store.Store, r store.PostRequest) []store.Outcome {
	s.Helper()
	if r.CellTTL == 0 {
		r.CellTTL = long
	}
	reply, err := c.Post(s.ctx(), r)
	if err != nil {
		s.Fatalf("Post: %v", err)
	}
	return reply.Outcomes
}

func (s *suite) wantOutcomes(got []store.Outcome, want ...store.Outcome) {
	s.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		s.Fatalf("outcomes %v, want %v (1 taken, 2 replaced, 3 pending, 4 lost)", got, want)
	}
}

func (s *suite) fill(c store.Store, key, value string, ttl time.Duration) {
	s.Helper()
	err := c.Fill(s.ctx(), store.FillRequest{Entry: store.Entry{Key: key, Value: []byte(value), TTL: ttl}, CellTTL: long})
	if err != nil {
		s.Fatalf("Fill: %v", err)
	}
}

// value reads an entry; "" when there is none.
func (s *suite) value(c store.Store, key string) string {
	s.Helper()
	reply, err := c.Read(s.ctx(), store.ReadRequest{Entry: key, Fresh: s.fresh, CellTTL: long})
	if err != nil {
		s.Fatalf("Read: %v", err)
	}
	return string(reply.Entry)
}

// eventually waits until ok holds.
func (s *suite) eventually(what string, ok func() bool) {
	s.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.NewTimer(patience)
	defer late.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-late.C:
			s.Fatalf("not within %v: %s", patience, what)
		}
	}
}

// outlast returns when a lease of d that began before the call has ended, by the clock of
// the store: it marks a cell for d itself and waits for that one.
func (s *suite) outlast(d time.Duration) {
	s.Helper()
	clock := s.cell()
	s.mark(s.Store, s.token(), d, clock)
	s.eventually("a marker's lease ends", func() bool { return !s.read(s.Store, clock)[0].Marked })
}
