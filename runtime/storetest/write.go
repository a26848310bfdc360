package storetest

import "github.com/cachegen/cachegen/runtime/store"

var writeCases = []testcase{
	{"a mark destroys the generation, for both clients", func(s *suite) {
		cell := s.cell()
		s.generation(s.Store, cell)
		s.mark(s.Store, s.token(), long, cell)
		s.wantMarked(cell)
	}},
	{"alone from mark to post: taken", func(s *suite) {
		cell, w := s.cell(), s.token()
		before := s.generation(s.Store, cell)
		s.mark(s.Store, w, long, cell)
		fresh := s.post(s.Store, w, cell, store.Taken)
		s.wantGeneration(cell, fresh)
		s.wantAnother(cell, before)
	}},
	{"alone on an absent cell: taken", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, w, long, cell)
		s.wantGeneration(cell, s.post(s.Store, w, cell, store.Taken))
	}},
	{"overlapping, first in first out: pending, then replaced", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.mark(s.Other, b, long, cell)
		fa := s.post(s.Store, a, cell, store.Pending)
		s.wantMarked(cell)
		fb := s.post(s.Other, b, cell, store.Replaced)
		s.wantAnother(cell, fa, fb)
	}},
	{"overlapping, first in last out: pending, then replaced", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.mark(s.Other, b, long, cell)
		fb := s.post(s.Other, b, cell, store.Pending)
		fa := s.post(s.Store, a, cell, store.Replaced)
		s.wantAnother(cell, fa, fb)
	}},
	{"a chain of overlaps taints its last link, although that one saw only one other", func(s *suite) {
		cell, a, b, c := s.cell(), s.token(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.mark(s.Store, b, long, cell)
		fa := s.post(s.Store, a, cell, store.Pending)
		s.mark(s.Other, c, long, cell)
		fb := s.post(s.Store, b, cell, store.Pending)
		fc := s.post(s.Other, c, cell, store.Replaced)
		s.wantAnother(cell, fa, fb, fc)
	}},
	{"after an overlap the next lonely write is taken again", func(s *suite) {
		cell, a, b, c := s.cell(), s.token(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.mark(s.Store, b, long, cell)
		s.post(s.Store, a, cell, store.Pending)
		s.post(s.Store, b, cell, store.Replaced)
		s.mark(s.Store, c, long, cell)
		s.wantGeneration(cell, s.post(s.Store, c, cell, store.Taken))
	}},
	{"tokens that begin, end or continue alike are different writes", func(s *suite) {
		cell := s.cell()
		tokens := []string{"1", "11", "111", "o", "1o", "o1", "0", "10"}
		for _, w := range tokens {
			s.mark(s.Store, w, long, cell)
		}
		for _, w := range tokens[1:] {
			s.post(s.Store, w, cell, store.Pending)
		}
		s.post(s.Store, tokens[0], cell, store.Replaced)
	}},
	{"marking again under the same token is no overlap", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, w, long, cell)
		s.mark(s.Store, w, long, cell)
		s.wantGeneration(cell, s.post(s.Store, w, cell, store.Taken))
	}},
	{"marking again under the same token forgives no overlap", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.mark(s.Store, b, long, cell)
		s.post(s.Store, b, cell, store.Pending)
		s.mark(s.Store, a, long, cell)
		s.wantAnother(cell, s.post(s.Store, a, cell, store.Replaced))
	}},
	{"one request, many cells, an outcome for each: cells, then bumps", func(s *suite) {
		a, b := s.token(), s.token()
		alone, crowded, unmarked, known, stale := s.cell(), s.cell(), s.cell(), s.cell(), s.cell()
		s.mark(s.Store, a, long, alone, crowded)
		s.mark(s.Other, b, long, crowded)
		g := s.generation(s.Store, known)
		s.generation(s.Store, stale)
		fresh := []store.Generation{s.fresh(), s.fresh(), s.fresh(), s.fresh(), s.fresh()}
		s.wantOutcomes(s.postAll(s.Store, store.PostRequest{
			Token: a,
			Cells: []store.PostCell{
				{Key: crowded, Fresh: fresh[0]},
				{Key: alone, Fresh: fresh[1]},
				{Key: unmarked, Fresh: fresh[2]},
			},
			Bumps: []store.BumpCell{
				{Key: known, Known: g, Fresh: fresh[3]},
				{Key: stale, Known: "gone", Fresh: fresh[4]},
			},
		}), store.Pending, store.Taken, store.Lost, store.Taken, store.Replaced)
		s.wantMarked(crowded)
		s.wantGeneration(alone, fresh[1])
		s.wantGeneration(known, fresh[3])
		s.wantAnother(unmarked, fresh[2])
		s.wantAnother(stale, fresh[4])
	}},
	{"a post stores entries, whatever becomes of the cells", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		one, two := s.entry(cell), s.entry(s.cell())
		s.mark(s.Store, a, long, cell)
		s.mark(s.Store, b, long, cell)
		s.wantOutcomes(s.postAll(s.Store, store.PostRequest{
			Token:   a,
			Cells:   []store.PostCell{{Key: cell, Fresh: s.fresh()}},
			Entries: []store.Entry{{Key: one, Value: []byte("1"), TTL: long}, {Key: two, Value: []byte("2"), TTL: long}},
		}), store.Pending)
		if got := s.value(s.Other, one) + s.value(s.Other, two); got != "12" {
			s.Fatalf("got %q", got)
		}
	}},
	{"an empty post does nothing", func(s *suite) {
		s.wantOutcomes(s.postAll(s.Store, store.PostRequest{Token: s.token()}))
	}},
	{"observed cells come back in order and are made where absent", func(s *suite) {
		cell, marked, held, absent := s.cell(), s.cell(), s.cell(), s.cell()
		s.mark(s.Other, s.token(), long, marked)
		g := s.generation(s.Other, held)
		got, err := s.Store.Mark(s.ctx(), store.MarkRequest{
			Token: s.token(), Cells: []string{cell}, Lease: long,
			Observe: []string{absent, marked, held}, Fresh: s.fresh, CellTTL: long,
		})
		if err != nil {
			s.Fatal(err)
		}
		if len(got) != 3 || got[0].Generation == "" || !got[1].Marked || got[2].Generation != g {
			s.Fatalf("got %+v", got)
		}
		s.wantGeneration(absent, got[0].Generation)
		s.wantMarked(cell)
	}},
}
