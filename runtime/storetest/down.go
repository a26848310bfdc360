package storetest

import (
	"context"
	"errors"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// operations are one call of each method that can fail.
func (s *suite) operations(c store.Store) map[string]func(context.Context) error {
	cell := s.cell()
	return map[string]func(context.Context) error{
		"Read": func(ctx context.Context) error {
			_, err := c.Read(ctx, store.ReadRequest{Entry: s.entry(cell), Cells: []string{cell}, Fresh: s.fresh, CellTTL: long})
			return err
		},
		"Read near": func(ctx context.Context) error {
			_, err := c.Read(ctx, store.ReadRequest{Cells: []string{s.cell()}, Near: true, Fresh: s.fresh, CellTTL: long})
			return err
		},
		"Fill": func(ctx context.Context) error {
			return c.Fill(ctx, store.FillRequest{
				Entry: store.Entry{Key: s.entry(cell), Value: []byte("v"), TTL: long}, Renew: []string{cell}, CellTTL: long,
			})
		},
		"Mark": func(ctx context.Context) error {
			_, err := c.Mark(ctx, store.MarkRequest{Token: s.token(), Cells: []string{cell}, Lease: long, Fresh: s.fresh, CellTTL: long})
			return err
		},
		"Post": func(ctx context.Context) error {
			_, err := c.Post(ctx, store.PostRequest{
				Token: s.token(), Cells: []store.PostCell{{Key: cell, Fresh: s.fresh()}}, CellTTL: long,
			})
			return err
		},
		"Probe": func(ctx context.Context) error {
			_, err := c.Probe(ctx)
			return err
		},
	}
}

var downCases = []testcase{
	{"probe: reachable, the same server, twice", func(s *suite) {
		for range 2 {
			if changed, err := s.Store.Probe(s.ctx()); changed || err != nil {
				s.Fatalf("Probe: changed %v, %v", changed, err)
			}
		}
		for _, f := range s.Store.Findings() {
			if f.Code == "" || f.Text == "" {
				s.Errorf("a finding without code or text: %+v", f)
			}
		}
	}},
	{"a deadline that has passed: down, at once", func(s *suite) {
		for name, call := range s.operations(s.Store) {
			ctx, cancel := context.WithDeadline(s.Context(), time.Now().Add(-time.Second))
			if err := call(ctx); !errors.Is(err, store.ErrDown) {
				s.Errorf("%s: %v, want one that wraps ErrDown", name, err)
			}
			cancel()
		}
	}},
	{"the store works on after deadlines that have passed", func(s *suite) {
		ctx, cancel := context.WithCancel(s.Context())
		cancel()
		for _, call := range s.operations(s.Store) {
			_ = call(ctx) // that it fails is another case
		}
		for name, call := range s.operations(s.Store) {
			if err := call(s.ctx()); err != nil {
				s.Errorf("%s: %v", name, err)
			}
		}
	}},
	{"after close: down; closing again is harmless", func(s *suite) {
		c := s.Open(s.T)
		for name, call := range s.operations(c) {
			if err := call(s.ctx()); err != nil {
				s.Fatalf("%s before Close: %v", name, err)
			}
		}
		for range 2 {
			if err := c.Close(); err != nil {
				s.Fatal(err)
			}
		}
		for name, call := range s.operations(c) {
			if err := call(s.ctx()); !errors.Is(err, store.ErrDown) {
				s.Errorf("%s after Close: %v, want one that wraps ErrDown", name, err)
			}
		}
	}},
	{"a server that hangs: down when the deadline passes, and back when it answers", func(s *suite) {
		if s.Hang == nil {
			return // nothing here can hang
		}
		if _, err := s.Store.Probe(s.ctx()); err != nil {
			s.Fatal(err)
		}
		resume := s.Hang(s.T)
		defer func() {
			if resume != nil {
				resume()
			}
		}()
		for name, call := range s.operations(s.Store) {
			const deadline = 100 * time.Millisecond
			ctx, cancel := context.WithTimeout(s.Context(), deadline)
			start := time.Now()
			err := call(ctx)
			cancel()
			if !errors.Is(err, store.ErrDown) {
				s.Errorf("%s: %v, want one that wraps ErrDown", name, err)
			}
			if took := time.Since(start); took > 10*deadline {
				s.Errorf("%s: a deadline of %v, an answer after %v", name, deadline, took)
			}
		}
		resume()
		resume = nil
		s.eventually("it is reachable again", func() bool {
			ctx, cancel := context.WithTimeout(s.Context(), time.Second)
			defer cancel()
			_, err := s.Store.Probe(ctx)
			return err == nil
		})
		for name, call := range s.operations(s.Store) {
			if err := call(s.ctx()); err != nil {
				s.Errorf("%s after the server answers again: %v", name, err)
			}
		}
	}},
}
