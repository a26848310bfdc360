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
