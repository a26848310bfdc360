package storetest

import "github.com/cachegen/cachegen/runtime/store"

var lossCases = []testcase{
	{"an evicted cell comes back as another generation", func(s *suite) {
		cell := s.cell()
		before := s.generation(s.Store, cell)
		s.Evict(s.T, cell)
		s.wantAnother(cell, before)
	}},
	{"an evicted entry is gone", func(s *suite) {
		key := s.entry(s.cell())
		s.fill(s.Store, key, "v", long)
		s.Evict(s.T, key)
		if got := s.value(s.Store, key); got != "" {
			s.Fatalf("got %q", got)
		}
	}},
	{"a cell evicted during a write: lost, and repaired", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, w, long, cell)
		s.Evict(s.T, cell)
		between := s.generation(s.Other, cell)
		s.wantAnother(cell, between, s.post(s.Store, w, cell, store.Lost))
	}},
	{"a cell evicted between two marks: the second write is spoiled by the first one's post", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.Evict(s.T, cell)
		s.mark(s.Other, b, long, cell)
		fa := s.post(s.Store, a, cell, store.Lost)
		s.wantAnother(cell, fa, s.post(s.Other, b, cell, store.Replaced))
	}},
	{"a cell evicted between two marks: the first one's late post replaces what the second took", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.Evict(s.T, cell)
		s.mark(s.Other, b, long, cell)
		fb := s.post(s.Other, b, cell, store.Taken)
		s.wantAnother(cell, fb, s.post(s.Store, a, cell, store.Lost))
	}},
	{"everything flushed during two writes", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		before := s.generation(s.Store, cell)
		s.mark(s.Store, a, long, cell)
		s.mark(s.Other, b, long, cell)
		s.Flush(s.T)
		fa := s.post(s.Store, a, cell, store.Lost)
		fb := s.post(s.Other, b, cell, store.Lost)
		s.wantAnother(cell, before, fa, fb)
	}},
	{"a flush between two writes revives nothing", func(s *suite) {
		cell, w := s.cell(), s.token()
		before := s.generation(s.Store, cell)
		s.Flush(s.T)
		s.mark(s.Store, w, long, cell)
		s.wantGeneration(cell, s.post(s.Store, w, cell, store.Taken))
		s.wantAnother(cell, before)
	}},
	{"a post sent twice is lost the second time and revives nothing", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, w, long, cell)
		first := s.post(s.Store, w, cell, store.Taken)
		second := s.post(s.Store, w, cell, store.Lost)
		s.wantAnother(cell, first, second)
	}},
	{"a post sent twice spoils the write that came between", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		s.mark(s.Store, a, long, cell)
		s.post(s.Store, a, cell, store.Taken)
		s.mark(s.Other, b, long, cell)
		s.post(s.Store, a, cell, store.Lost)
		s.wantMarked(cell)
		s.wantAnother(cell, s.post(s.Other, b, cell, store.Replaced))
	}},
}
