package storetest

import (
	"sync"

	"github.com/cachegen/cachegen/runtime/store"
)

var readCases = []testcase{
	{"an absent cell is given the reader's generation, and keeps it", func(s *suite) {
		cell := s.cell()
		var made store.Generation
		reply, err := s.Store.Read(s.ctx(), store.ReadRequest{
			Cells:   []string{cell},
			Fresh:   func() store.Generation { made = s.fresh(); return made },
			CellTTL: long,
		})
		if err != nil {
			s.Fatal(err)
		}
		if got := reply.Cells[0].Generation; got == "" || got != made {
			s.Fatalf("generation %q, want %q", got, made)
		}
		s.wantGeneration(cell, made)
	}},
	{"concurrent readers of absent cells agree", func(s *suite) {
		cells := []string{s.cell(), s.cell(), s.cell()}
		got := make([][]store.Cell, 16)
		var wg sync.WaitGroup
		for i := range got {
			wg.Go(func() {
				c := []store.Store{s.Store, s.Other}[i%2]
				reply, err := c.Read(s.ctx(), store.ReadRequest{Cells: cells, Near: i%4 < 2, Fresh: s.fresh, CellTTL: long})
				if err != nil {
					s.Error(err)
				}
				got[i] = reply.Cells
			})
		}
		wg.Wait()
		if s.Failed() {
			return
		}
		for i, seen := range got {
			for k := range cells {
				if seen[k].Generation == "" || seen[k].Generation != got[0][k].Generation {
					s.Fatalf("reader %d saw %q in cell %d, reader 0 %q", i, seen[k].Generation, k, got[0][k].Generation)
				}
			}
		}
	}},
	{"cells come in the order of the request, each in its own state", func(s *suite) {
		marked, held, absent := s.cell(), s.cell(), s.cell()
		s.mark(s.Store, s.token(), long, marked)
		g := s.generation(s.Other, held)
		got := s.read(s.Store, held, marked, absent)
		if got[0].Generation != g || !got[1].Marked || got[2].Generation == "" {
			s.Fatalf("got %+v", got)
		}
	}},
	{"many cells in one request", func(s *suite) {
		cells := make([]string, 100)
		for i := range cells {
			cells[i] = s.cell()
		}
		first := s.read(s.Store, cells...)
		for i, again := range s.read(s.Other, cells...) {
			if again.Generation != first[i].Generation {
				s.Fatalf("cell %d: %q, then %q", i, first[i].Generation, again.Generation)
			}
		}
	}},
	{"an entry comes back byte for byte, to both clients", func(s *suite) {
		key := s.entry(s.cell())
		if got := s.value(s.Store, key); got != "" {
			s.Fatalf("before the fill: %q", got)
		}
		value := "\x00\r\n$-1\r\n\xff plain"
		s.fill(s.Store, key, value, long)
		for _, c := range []store.Store{s.Store, s.Other} {
			if got := s.value(c, key); got != value {
				s.Fatalf("got %q, want %q", got, value)
			}
		}
	}},
	{"an absent entry is nil, beside its cells", func(s *suite) {
		cell := s.cell()
		reply, err := s.Store.Read(s.ctx(), store.ReadRequest{
			Entry: s.entry(cell), Cells: []string{cell}, Near: true, Fresh: s.fresh, CellTTL: long,
		})
		if err != nil || reply.Entry != nil || reply.Cells[0].Generation == "" {
			s.Fatalf("got %+v, %v", reply, err)
		}
	}},
	{"filling is unconditional: the last one stands", func(s *suite) {
		key := s.entry(s.cell())
		s.fill(s.Store, key, "one", long)
		s.fill(s.Other, key, "two", long)
		if got := s.value(s.Store, key); got != "two" {
			s.Fatalf("got %q", got)
		}
	}},
	{"the store keeps no reference to the bytes of a fill", func(s *suite) {
		key, value := s.entry(s.cell()), []byte("before")
		err := s.Store.Fill(s.ctx(), store.FillRequest{Entry: store.Entry{Key: key, Value: value, TTL: long}, CellTTL: long})
		if err != nil {
			s.Fatal(err)
		}
		copy(value, "AFTER!")
		if got := s.value(s.Store, key); got != "before" {
			s.Fatalf("got %q", got)
		}
	}},
	{"an entry longer than MaxEntry is foreign, one as long is read", func(s *suite) {
		cell := s.cell()
		key := s.entry(cell)
		s.fill(s.Store, key, "12345", long)
		for _, near := range []bool{true, false} {
			for most, want := range map[int]string{0: "12345", 4: "", 5: "12345", 6: "12345"} {
				reply, err := s.Store.Read(s.ctx(), store.ReadRequest{
					Entry: key, MaxEntry: most, Cells: []string{cell}, Near: near, Fresh: s.fresh, CellTTL: long,
				})
				if err != nil {
					s.Fatal(err)
				}
				if string(reply.Entry) != want || (reply.Entry == nil) != (reply.Foreign == 1) {
					s.Errorf("near %v, at most %d: %q, %d foreign; want %q", near, most, reply.Entry, reply.Foreign, want)
				}
			}
		}
	}},
	{"cells and entries of one name do not meet", func(s *suite) {
		cell, other := s.cell(), s.cell()
		g := s.generation(s.Store, cell)
		s.fill(s.Store, s.entry(cell), "value", long)
		s.wantGeneration(cell, g)
		s.wantAnother(other, g)
	}},
}
