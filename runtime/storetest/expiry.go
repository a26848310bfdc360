package storetest

import (
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

var expiryCases = []testcase{
	{"an entry lives as long as its TTL", func(s *suite) {
		key, stays := s.entry(s.cell()), s.entry(s.cell())
		s.fill(s.Store, stays, "stays", long)
		s.fill(s.Store, key, "goes", short)
		s.eventually("the entry expires", func() bool { return s.value(s.Store, key) == "" })
		if got := s.value(s.Store, stays); got != "stays" {
			s.Fatalf("got %q", got)
		}
	}},
	{"a cell lives as long as its TTL, and comes back as another generation", func(s *suite) {
		cell := s.cell()
		request := store.ReadRequest{Cells: []string{cell}, Fresh: s.fresh, CellTTL: short}
		first, err := s.Store.Read(s.ctx(), request)
		if err != nil {
			s.Fatal(err)
		}
		s.eventually("the cell expires", func() bool {
			return s.generation(s.Store, cell) != first.Cells[0].Generation
		})
	}},
	{"renewing extends a cell's life", func(s *suite) {
		cell := s.cell()
		reply, err := s.Store.Read(s.ctx(), store.ReadRequest{Cells: []string{cell}, Fresh: s.fresh, CellTTL: short})
		if err != nil {
			s.Fatal(err)
		}
		g := reply.Cells[0].Generation
		err = s.Store.Fill(s.ctx(), store.FillRequest{
			Entry:   store.Entry{Key: s.entry(cell), Value: []byte("v"), TTL: long},
			Renew:   []string{cell},
			CellTTL: long,
		})
		if err != nil {
			s.Fatal(err)
		}
		s.outlast(short)
		s.wantGeneration(cell, g)
	}},
	{"renewing makes nothing: absent stays absent, marked stays marked", func(s *suite) {
		absent, marked := s.cell(), s.cell()
		s.mark(s.Store, s.token(), long, marked)
		err := s.Store.Fill(s.ctx(), store.FillRequest{
			Entry:   store.Entry{Key: s.entry(absent), Value: []byte("v"), TTL: long},
			Renew:   []string{absent, marked},
			CellTTL: long,
		})
		if err != nil {
			s.Fatal(err)
		}
		s.wantMarked(marked)
		s.bump(s.Store, store.BumpCell{Key: absent, Absent: true}, store.Taken)
	}},
	{"a marker stands for its lease, and then the cell is absent", func(s *suite) {
		cell := s.cell()
		before := s.generation(s.Store, cell)
		start := time.Now()
		s.mark(s.Store, s.token(), short, cell)
		s.eventually("the lease ends", func() bool { return !s.read(s.Store, cell)[0].Marked })
		// A store's clock may count in milliseconds.
		if stood := time.Since(start); stood < short-2*time.Millisecond {
			s.Fatalf("a lease of %v ended after %v", short, stood)
		}
		s.wantAnother(cell, before)
	}},
	{"post after the lease: lost, and repaired with another generation", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, w, short, cell)
		s.outlast(short)
		between := s.generation(s.Other, cell)
		fresh := s.post(s.Store, w, cell, store.Lost)
		s.wantAnother(cell, between, fresh)
	}},
	{"post after the lease, nobody having looked: lost", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, w, short, cell)
		s.outlast(short)
		s.wantAnother(cell, s.post(s.Store, w, cell, store.Lost))
	}},
	{"a lost post spoils the write that stands there, which thought itself alone", func(s *suite) {
		cell, a, b := s.cell(), s.token(), s.token()
		s.mark(s.Store, a, short, cell)
		s.outlast(short)
		s.mark(s.Other, b, long, cell)
		fa := s.post(s.Store, a, cell, store.Lost)
		s.wantMarked(cell)
		fb := s.post(s.Other, b, cell, store.Replaced)
		s.wantAnother(cell, fa, fb)
	}},
	{"a marker whose lease has ended overlaps nobody", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, s.token(), short, cell)
		s.outlast(short)
		s.mark(s.Other, w, long, cell)
		s.wantGeneration(cell, s.post(s.Other, w, cell, store.Taken))
	}},
	{"a writer that died holds up nobody who came later, but taints whom it met", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, s.token(), short, cell)
		s.mark(s.Other, w, long, cell)
		s.outlast(short)
		s.wantAnother(cell, s.post(s.Other, w, cell, store.Replaced))
	}},
	{"each marker has its own lease", func(s *suite) {
		cell := s.cell()
		s.mark(s.Store, s.token(), long, cell)
		s.mark(s.Store, s.token(), short, cell)
		s.outlast(short)
		s.wantMarked(cell)
	}},
	{"marking again extends the lease", func(s *suite) {
		cell, w := s.cell(), s.token()
		s.mark(s.Store, w, short, cell)
		s.mark(s.Store, w, long, cell)
		s.outlast(short)
		s.wantMarked(cell)
		s.wantGeneration(cell, s.post(s.Store, w, cell, store.Taken))
	}},
	{"a mark that arrives after its post stands for its lease and heals", func(s *suite) {
		cell, w := s.cell(), s.token()
		fresh := s.post(s.Store, w, cell, store.Lost)
		repaired := s.wantAnother(cell, fresh)
		s.mark(s.Store, w, short, cell)
		s.eventually("the late mark's lease ends", func() bool { return !s.read(s.Store, cell)[0].Marked })
		s.wantAnother(cell, fresh, repaired)
	}},
	{"a cell made by a post lives as long as its TTL", func(s *suite) {
		cell, w, fresh := s.cell(), s.token(), s.fresh()
		s.mark(s.Store, w, long, cell)
		s.wantOutcomes(s.postAll(s.Store, store.PostRequest{
			Token: w, Cells: []store.PostCell{{Key: cell, Fresh: fresh}}, CellTTL: short,
		}), store.Taken)
		s.eventually("the cell expires", func() bool { return s.generation(s.Store, cell) != fresh })
	}},
}
