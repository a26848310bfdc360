package cachert

import (
	"context"
	"testing"
	"testing/synctest"
)

// The row tags that a stored entry names belong to the snapshot, too:
//
//  1. another process has stored the list, with book 1; a write has changed the book since
//  2. reader A finds the entry invalid by the generation of book 1, and loads: version 2
//  3. a write changes book 1 and names no list; it is acknowledged
//  4. reader B sees A's generations in all cells that the arguments name, and another one in
//     that of book 1, which both know only from the entry
func TestJoinOnlyOnTheSameRowsOfAStoredEntry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		other, s, _ := twoProcesses(t)
		if _, err := other.byAuthor(context.Background(), 7); err != nil {
			t.Fatal(err)
		}
		other.drain()
		if _, err := s.bump(context.Background(), 1, nil); err != nil {
			t.Fatal(err)
		}
		gate := make(chan struct{})
		s.hook = func() { <-gate }
		joinsNothing(t, s, gate, 2)
	})
}

// What a load has seen is not enough for who has joined it, when its rows cannot be snapshotted:
//
//  1. reader A loads the list, and book 1 in it: version 1
//  2. a write changes book 1 and names no list; it is acknowledged
//  3. reader B has seen no row, so it joins A
//  4. the list has too many rows, or the store fails: there is no second load
func TestAJoinedLoadWhoseRowsCannotBeSeenIsRunAgain(t *testing.T) {
	for name, c := range map[string]struct{ before, after func(*shop, *flaky) }{
		"too many rows": {before: func(s *shop, _ *flaky) {
			for id := range int64(maxRows + 1) {
				s.rows[100+id] = book{ID: 100 + id, Author: 7, Version: 1}
			}
		}},
		"the store fails": {after: func(_ *shop, f *flaky) { f.set("read") }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s, f := flakyShop(t, OnErrorProceed)
				if c.before != nil {
					c.before(s, f)
				}
				ctx, gate, versions := context.Background(), make(chan struct{}), make(chan int64, 2)
				read := func() {
					list, err := s.byAuthor(ctx, 7)
					if err != nil {
						t.Error(err)
					}
					for _, b := range list {
						if b.ID == 1 {
							versions <- b.Version
						}
					}
				}
				s.hook = func() { <-gate }
				go read()
				synctest.Wait()
				if _, err := s.bump(ctx, 1, nil); err != nil {
					t.Fatal(err)
				}
				go read()
				synctest.Wait()
				if joined := s.stat("List").Joined; s.loads != 1 || joined != 1 {
					t.Fatalf("%d loads, %d joined: want one of each", s.loads, joined)
				}
				if c.after != nil {
					c.after(s, f)
				}
				close(gate)
				if a, b := <-versions, <-versions; a != 2 || b != 2 {
					t.Errorf("the reads got versions %d and %d, and one of them began after version 2", a, b)
				}
			})
		})
	}
}
