package work

import (
	"sync/atomic"
	"testing"

	"github.com/cachegen/cachegen/consistency/trace"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// TestADebtLastsUntilItsCallHasEnded is the schedule in the comment of debts.
func TestADebtLastsUntilItsCallHasEnded(t *testing.T) {
	dir := t.TempDir()
	ring, err := trace.Create(dir, 1)
	if err != nil {
		t.Fatal(err)
	}
	owed := true
	d := &debts{owes: func() bool { return owed }, calls: make([]atomic.Int64, 2), ring: ring}
	writer, reader := cachecheck.Discard(0), cachecheck.Discard(1)
	expect := func(when string, want bool) {
		t.Helper()
		inFile, err := trace.Owes(dir, 1)
		if err != nil {
			t.Fatal(err)
		}
		spared := true
		d.unlessOwing(func() { spared = false })
		if d.owing.Load() != want || inFile != want || spared != want {
			t.Errorf("%s: owing %v, in the file %v, spared %v, want %v", when, d.owing.Load(), inFile, spared, want)
		}
	}
	d.begin(0)
	expect("at first", false)
	d.incur() // 1
	owed = false
	d.begin(1)
	d.end(reader) // 2
	expect("the write has not committed", true)
	owed = true
	d.end(writer) // 3
	expect("nothing is delivered", true)
	owed = false
	d.begin(1)
	d.end(reader)
	expect("delivered", false)
}
