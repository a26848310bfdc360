package storetest

import (
	"slices"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/runtime/store"
)

// live reads a cell near until it comes with a promise, and returns both.
func (s *suite) live(c store.Store, cell string) (store.Generation, *store.Live) {
	s.Helper()
	var got store.Cell
	s.eventually("a near read comes with a promise", func() bool {
		reply, err := c.Read(s.ctx(), store.ReadRequest{Cells: []string{cell}, Near: true, Fresh: s.fresh, CellTTL: long})
		if err != nil {
			s.Fatal(err)
		}
		got = reply.Cells[0]
		return got.Live != nil && got.Live.Alive()
	})
	return got.Generation, got.Live
}

// near reads one cell as a hit would.
func (s *suite) near(c store.Store, cell string) store.Cell {
	s.Helper()
	reply, err := c.Read(s.ctx(), store.ReadRequest{Cells: []string{cell}, Near: true, Fresh: s.fresh, CellTTL: long})
	if err != nil {
		if s.ctx().Err() == nil {
			s.Error(err) // not Fatal: cases call this on other goroutines too
		}
		return store.Cell{}
	}
	return reply.Cells[0]
}

// rounds is how often a race is tried.
func (s *suite) rounds(n int) int {
	if testing.Short() {
		return n / 10
	}
	return n
}

var liveCases = []testcase{
	{"a promise holds while nothing changes", func(s *suite) {
		cell, elsewhere, w := s.cell(), s.cell(), s.token()
		g, live := s.live(s.Store, cell)
		s.mark(s.Store, w, long, elsewhere)
		s.post(s.Store, w, elsewhere, store.Taken)
		s.wantGeneration(cell, g)
		if !live.Alive() {
			s.Fatal("a write elsewhere ended it")
		}
	}},
	{"our own post ends our promise before it returns", func(s *suite) {
		cell := s.cell()
		for range s.rounds(500) {
			_, live := s.live(s.Store, cell)
			w := s.token()
			s.mark(s.Store, w, long, cell)
			fresh := s.post(s.Store, w, cell, store.Taken)
			if live.Alive() {
				s.Fatal("alive after Post returned")
			}
			if got := s.near(s.Store, cell); got.Generation != fresh {
				s.Fatalf("a near read after Post: %+v, want %q", got, fresh)
			}
		}
	}},
	{"our own bump ends our promise before it returns", func(s *suite) {
		cell := s.cell()
		for range s.rounds(2000) {
			g, live := s.live(s.Store, cell)
			fresh := s.bump(s.Store, store.BumpCell{Key: cell, Known: g}, store.Taken)
			if live.Alive() {
				s.Fatal("alive after Post returned")
			}
			if got := s.near(s.Store, cell); got.Generation != fresh {
				s.Fatalf("a near read after Post: %+v, want %q", got, fresh)
			}
		}
	}},
	{"a post that is replaced, pending or lost ends promises like one that is taken", func(s *suite) {
		replaced, pending, lost := s.cell(), s.cell(), s.cell()
		_, lr := s.live(s.Store, replaced)
		_, lp := s.live(s.Store, pending)
		_, ll := s.live(s.Store, lost)
		w := s.token()
		s.mark(s.Other, s.token(), long, pending)
		s.wantOutcomes(s.postAll(s.Store, store.PostRequest{
			Token: w,
			Cells: []store.PostCell{{Key: lost, Fresh: s.fresh()}},
			Bumps: []store.BumpCell{{Key: replaced, Fresh: s.fresh()}, {Key: pending, Fresh: s.fresh()}},
		}), store.Lost, store.Replaced, store.Pending)
		if lr.Alive() || lp.Alive() || ll.Alive() {
			s.Fatalf("alive after Post: replaced %v, pending %v, lost %v", lr.Alive(), lp.Alive(), ll.Alive())
		}
	}},
	{"promises taken while we write end before our post returns", func(s *suite) {
		cell := s.cell()
		for range s.rounds(200) {
			var taken []store.Cell
			_, live := s.live(s.Store, cell)
			done := make(chan struct{})
			var wg sync.WaitGroup
			wg.Go(func() {
				for {
					select {
					case <-done:
						return
					default:
					}
					if got := s.near(s.Store, cell); got.Live != nil {
						taken = append(taken, got)
					}
				}
			})
			w := s.token()
			s.mark(s.Store, w, long, cell)
			fresh := s.post(s.Store, w, cell, store.Taken)
			alive, got := live.Alive(), s.near(s.Store, cell)
			close(done)
			wg.Wait()
			if alive || got.Generation != fresh {
				s.Fatalf("after Post: promise alive %v, a near read %+v, want %q", alive, got, fresh)
			}
			for _, old := range taken {
				if old.Generation != fresh && old.Live.Alive() {
					s.Fatalf("the promise for %q is alive after %q was taken", old.Generation, fresh)
				}
			}
		}
	}},
	{"a near read is not older than its call, though the promise may be", func(s *suite) {
		cell, other := s.cell(), s.cell()
		for i := range s.rounds(500) {
			s.live(s.Store, cell)
			s.live(s.Store, other)
			request := store.ReadRequest{Cells: []string{cell, other}, Near: true, Fresh: s.fresh, CellTTL: long}
			if i%2 == 0 {
				request.Entry = s.entry(cell)
			}
			w := s.token()
			for _, changed := range []string{other, cell} {
				s.mark(s.Other, w, long, changed)
				reply, err := s.Store.Read(s.ctx(), request)
				if err != nil {
					s.Fatal(err)
				}
				if got := reply.Cells[slices.Index(request.Cells, changed)]; !got.Marked {
					s.Fatalf("round %d: %+v after a mark", i, got)
				}
			}
			s.post(s.Other, w, cell, store.Taken)
			s.post(s.Other, w, other, store.Taken)
		}
	}},
	{"another client's mark ends our promise soon", func(s *suite) {
		cell := s.cell()
		_, live := s.live(s.Store, cell)
		s.mark(s.Other, s.token(), long, cell)
		s.eventually("the promise ends", func() bool { return !live.Alive() })
		s.eventually("near reads see the mark", func() bool { return s.near(s.Store, cell).Marked })
	}},
	{"another client's bump ends our promise soon", func(s *suite) {
		cell := s.cell()
		_, live := s.live(s.Store, cell)
		fresh := s.bump(s.Other, store.BumpCell{Key: cell}, store.Replaced)
		s.eventually("the promise ends", func() bool { return !live.Alive() })
		s.wantAnother(cell, fresh)
		s.eventually("near reads see the new generation", func() bool {
			return s.near(s.Store, cell).Generation == s.generation(s.Store, cell)
		})
	}},
	{"an eviction ends our promise soon", func(s *suite) {
		cell := s.cell()
		_, live := s.live(s.Store, cell)
		s.Evict(s.T, cell)
		s.eventually("the promise ends", func() bool { return !live.Alive() })
	}},
	{"a flush ends our promises soon", func(s *suite) {
		one, two := s.cell(), s.cell()
		_, l1 := s.live(s.Store, one)
		_, l2 := s.live(s.Store, two)
		s.Flush(s.T)
		s.eventually("the promises end", func() bool { return !l1.Alive() && !l2.Alive() })
	}},
	{"a cell that expired is not promised on", func(s *suite) {
		cell := s.cell()
		request := store.ReadRequest{Cells: []string{cell}, Near: true, Fresh: s.fresh, CellTTL: short}
		first, err := s.Store.Read(s.ctx(), request)
		if err != nil {
			s.Fatal(err)
		}
		second, err := s.Store.Read(s.ctx(), request)
		if err != nil {
			s.Fatal(err)
		}
		s.eventually("the cell expires", func() bool {
			return s.generation(s.Store, cell) != first.Cells[0].Generation
		})
		for _, live := range []*store.Live{first.Cells[0].Live, second.Cells[0].Live} {
			if live != nil {
				s.eventually("its promise ends", func() bool { return !live.Alive() })
			}
		}
	}},
	{"closing ends all promises", func(s *suite) {
		c, cell := s.Open(s.T), s.cell()
		_, live := s.live(c, cell)
		if err := c.Close(); err != nil {
			s.Fatal(err)
		}
		s.eventually("the promise ends", func() bool { return !live.Alive() })
	}},
}
