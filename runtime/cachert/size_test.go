package cachert

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// A value over MaxSize is returned, counted, and kept nowhere; one below is kept.
func TestOversizedValuesAreNotStored(t *testing.T) {
	s := newShop(t, func(_ *Options, p *ReadPolicy[*book], _ *WritePolicy) { p.MaxSize = 1000 })
	ctx := context.Background()
	set := func(size int) {
		s.rows[1] = book{ID: 1, Author: 7, Version: 1, Tags: []string{strings.Repeat("x", size)}}
	}
	set(1000)
	for range 2 {
		if b := s.mustGet(ctx, 1); len(b.Tags[0]) != 1000 {
			t.Fatalf("a tag of %d bytes", len(b.Tags[0]))
		}
		s.drain()
	}
	if m := s.stat("ByID"); m.Oversized != 2 || m.Loads != 2 || m.Fills != 0 || m.FillsSkipped != 0 {
		t.Errorf("%+v, want two loads, both oversized", m)
	}
	set(100)
	for range 2 {
		s.mustGet(ctx, 1)
		s.drain()
	}
	if m := s.stat("ByID"); m.Oversized != 2 || m.Loads != 3 || m.NearHits != 1 {
		t.Errorf("%+v, want one more load and a hit", m)
	}
}

// A write does not store an oversized value either, and the next read does not find the old one.
func TestOversizedValuesAreNotWrittenThrough(t *testing.T) {
	s := newShop(t, func(_ *Options, p *ReadPolicy[*book], _ *WritePolicy) { p.MaxSize = 1000 })
	ctx := context.Background()
	s.mustGet(ctx, 1)
	s.drain()
	large := book{ID: 1, Author: 7, Version: 2, Tags: []string{strings.Repeat("x", 1000)}}
	err := s.update.Do(ctx, Change{
		Tags: func(t *Tags) { t.Entry(s.call(1)) },
		Run:  func(context.Context) error { s.rows[1] = large; return nil },
		Put:  func(p *Puts) { s.byID.Put(p, s.call(1), &large) },
	})
	if err != nil {
		t.Fatal(err)
	}
	if m := s.stat("ByID"); m.Oversized != 1 || s.stat("Update").WriteThroughs != 0 {
		t.Errorf("%+v, want one oversized value", m)
	}
	if b := s.mustGet(ctx, 1); b.Version != 2 {
		t.Errorf("version %d", b.Version)
	}
}

// What other programs have stored beyond this one's bound is not read.
func TestOversizedEntriesAreAMiss(t *testing.T) {
	s := newShop(t, func(_ *Options, p *ReadPolicy[*book], _ *WritePolicy) { p.MaxSize = 1000 })
	ctx := context.Background()
	const key = "test:{books/book:1}:books.ByID:s1:1"
	err := s.st.Fill(ctx, store.FillRequest{Entry: store.Entry{Key: key, Value: make([]byte, 1001), TTL: time.Minute}})
	if err != nil {
		t.Fatal(err)
	}
	s.mustGet(ctx, 1)
	if m := s.stat("ByID"); m.Foreign != 1 || m.Loads != 1 {
		t.Errorf("%+v, want one foreign entry and a load", m)
	}
}

func TestALeaseHasALimit(t *testing.T) {
	_, err := Open(Options{Namespace: "test", Lease: store.MaxLease + 1, Logger: slog.New(slog.DiscardHandler)})
	if err == nil {
		t.Error("a lease that a store may not keep is accepted")
	}
}
