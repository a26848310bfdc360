package sieve

import (
	"math/rand/v2"
	"testing"
)

func TestVisitedEntriesSurvive(t *testing.T) {
	m := New(Options[int, int]{MaxEntries: 3})
	for i := range 3 {
		m.Set(i, i, 1)
	}
	m.Get(0)
	m.Set(3, 3, 1)
	if _, ok := m.Get(0); !ok {
		t.Error("entry 0 was visited and must survive")
	}
	if _, ok := m.Get(1); ok {
		t.Error("entry 1 was the oldest unvisited one and must go")
	}
}

func TestPinnedEntriesStay(t *testing.T) {
	m := New(Options[int, bool]{MaxEntries: 2, Pinned: func(v bool) bool { return v }})
	m.Set(1, true, 1)
	m.Set(2, true, 1)
	m.Set(3, true, 1)
	if m.Len() != 3 {
		t.Errorf("Len = %d, want 3: nothing but pinned entries to evict", m.Len())
	}
	m.Set(4, false, 1)
	if _, ok := m.Get(4); ok {
		t.Error("the only unpinned entry must go")
	}
}

func TestRandomOperationsKeepTheBounds(t *testing.T) {
	evicted := map[int]bool{}
	m := New(Options[int, int]{MaxEntries: 50, MaxBytes: 400, Evicted: func(k, _ int) { evicted[k] = true }})
	want := map[int]int{}
	rnd := rand.New(rand.NewPCG(1, 2))
	for i := range 20_000 {
		k := rnd.IntN(200)
		switch rnd.IntN(4) {
		case 0:
			m.Delete(k)
			delete(want, k)
		case 1:
			clear(evicted)
			m.Set(k, i, int64(1+rnd.IntN(30)))
			want[k] = i
			for e := range evicted {
				delete(want, e)
			}
		default:
			got, ok := m.Get(k)
			w, wok := want[k]
			if ok != wok || got != w {
				t.Fatalf("step %d: Get(%d) = %d, %v; want %d, %v", i, k, got, ok, w, wok)
			}
		}
		if m.Len() != len(want) || m.Len() > 50 || m.Bytes() > 400 || m.Bytes() < 0 {
			t.Fatalf("step %d: Len %d (want %d), Bytes %d", i, m.Len(), len(want), m.Bytes())
		}
	}
}
