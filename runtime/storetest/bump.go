package storetest

import "github.com/cachegen/cachegen/runtime/store"

var bumpCases = []testcase{
	{"the known generation still stands: taken", func(s *suite) {
		cell := s.cell()
		g := s.generation(s.Other, cell)
		fresh := s.bump(s.Store, store.BumpCell{Key: cell, Known: g}, store.Taken)
		s.wantGeneration(cell, fresh)
	}},
	{"the known generation has gone: replaced", func(s *suite) {
		cell := s.cell()
		g := s.generation(s.Store, cell)
		first := s.bump(s.Other, store.BumpCell{Key: cell, Known: g}, store.Taken)
		second := s.bump(s.Store, store.BumpCell{Key: cell, Known: g}, store.Replaced)
		s.wantAnother(cell, g, first, second)
	}},
	{"the known generation has gone and come back as nothing: replaced", func(s *suite) {
		cell := s.cell()
		g := s.generation(s.Store, cell)
		s.Evict(s.T, cell)
		fresh := s.bump(s.Store, store.BumpCell{Key: cell, Known: g}, store.Replaced)
		s.wantAnother(cell, g, fresh)
	}},
	{"nothing known, a generation stands: replaced", func(s *suite) {
		cell := s.cell()
		g := s.generation(s.Store, cell)
		fresh := s.bump(s.Store, store.BumpCell{Key: cell}, store.Replaced)
		s.wantAnother(cell, g, fresh)
	}},
	{"nothing known, nothing there: replaced", func(s *suite) {
		cell := s.cell()
		s.wantAnother(cell, s.bump(s.Store, store.BumpCell{Key: cell}, store.Replaced))
	}},
	{"absent accepted, nothing there: taken", func(s *suite) {
		cell := s.cell()
		s.wantGeneration(cell, s.bump(s.Store, store.BumpCell{Key: cell, Absent: true}, store.Taken))
	}},
	{"absent accepted, a generation stands that nobody knew: replaced", func(s *suite) {
		cell := s.cell()
		g := s.generation(s.Other, cell)
		fresh := s.bump(s.Store, store.BumpCell{Key: cell, Absent: true}, store.Replaced)
		s.wantAnother(cell, g, fresh)
	}},
	{"absent accepted, the cell expired from a mark: taken", func(s *suite) {
		cell := s.cell()
		s.mark(s.Store, s.token(), short, cell)
		s.outlast(short)
		s.wantGeneration(cell, s.bump(s.Store, store.BumpCell{Key: cell, Absent: true}, store.Taken))
	}},
	{"a write in progress: pending, and that write is spoiled", func(s *suite) {
		cell, w := s.cell(), s.token()
		g := s.generation(s.Store, cell)
		s.mark(s.Other, w, long, cell)
		fresh := s.bump(s.Store, store.BumpCell{Key: cell, Known: g, Absent: true}, store.Pending)
		s.wantMarked(cell)
		s.wantAnother(cell, g, fresh, s.post(s.Other, w, cell, store.Replaced))
	}},
}
