package cachert

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"
)

// Random debts on few cells: each is delivered at or after its due time, and not later than what
// was known then to be due last; the journal is empty in the end.
func TestJournalDeliversEachDebtOnceItIsDue(t *testing.T) {
	for seed := range uint64(300) {
		rnd := rand.New(rand.NewPCG(seed, 1))
		j, now := newJournal(), time.Unix(1000, 0)
		open := map[undelivered][]time.Time{} // due times not served yet
		owe := func(u undelivered, at time.Time) {
			j.add(u, at)
			open[u] = append(open[u], at)
		}
		deliver := func(most int) {
			for _, u := range j.take(now, most) {
				var later []time.Time
				for _, at := range open[u] {
					if at.After(now) {
						later = append(later, at)
					}
				}
				if len(later) == len(open[u]) {
					t.Fatalf("seed %d: %v is delivered at %v and due at %v", seed, u, now, open[u])
				}
				open[u] = later
				if rnd.IntN(4) == 0 { // the store did not take it
					owe(u, now)
				}
			}
		}
		overdue := func() {
			for u, times := range open {
				if len(times) > 0 && j.debts[u] == nil {
					t.Fatalf("seed %d: %v is forgotten, due at %v", seed, u, times)
				}
				for _, at := range times {
					if d := j.debts[u]; at.After(d.last) {
						t.Fatalf("seed %d: %v is due at %v, kept from %v to %v", seed, u, at, d.first, d.last)
					}
				}
			}
			first, owed := j.next()
			for _, d := range j.debts {
				if !owed || d.first.Before(first) {
					t.Fatalf("seed %d: next is %v, but %v is due at %v", seed, first, d.undelivered, d.first)
				}
			}
		}
		for range 200 {
			if rnd.IntN(3) > 0 {
				u := undelivered{cell: strconv.Itoa(rnd.IntN(5)), token: []string{"", "w"}[rnd.IntN(2)]}
				owe(u, now.Add(time.Duration(rnd.IntN(20)-2)*time.Second))
			} else {
				now = now.Add(time.Duration(rnd.IntN(5)) * time.Second)
				deliver(1 + rnd.IntN(4))
			}
			overdue()
		}
		for j.len() > 0 {
			now = now.Add(time.Second)
			deliver(1000)
			overdue()
		}
	}
}

// A second unknown outcome on a cell does not put off the first one's renewal for ever:
//
//  1. a write is lost; its cell is owed in 10 s
//  2. every 5 s another one is lost on the same cell
//  3. the cell must be renewed all the same, again and again
func TestDebtsThatFollowDoNotPutOffTheFirst(t *testing.T) {
	j, start := newJournal(), time.Unix(0, 0)
	u := undelivered{cell: "c"}
	var delivered []time.Duration
	for s := range 100 {
		now := start.Add(time.Duration(s) * time.Second)
		if s%5 == 0 {
			j.add(u, now.Add(10*time.Second))
		}
		if len(j.take(now, 10)) > 0 {
			delivered = append(delivered, now.Sub(start))
		}
	}
	if fmt.Sprint(delivered) != "[10s 20s 30s 40s 50s 1m0s 1m10s 1m20s 1m30s]" {
		t.Errorf("delivered after %v", delivered)
	}
}

// What is due may not cost more when much else is owed.
func BenchmarkJournal(b *testing.B) {
	for _, owed := range []int{100, 10_000, 99_000} {
		b.Run(strconv.Itoa(owed), func(b *testing.B) {
			j, now := newJournal(), time.Unix(0, 0)
			for i := range owed {
				j.add(undelivered{cell: strconv.Itoa(i)}, now.Add(time.Duration(i)*time.Second+time.Hour))
			}
			for b.Loop() {
				j.add(undelivered{cell: "due"}, now)
				if _, ok := j.next(); !ok || len(j.take(now, 1000)) != 1 {
					b.Fatal("not due")
				}
			}
		})
	}
}
