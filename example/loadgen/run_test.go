package loadgen

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// shop keeps versions in memory; its fields make it misbehave.
type shop struct {
	mu       sync.Mutex
	versions map[int64]int64
	behind   int64 // reads return this much less than they should
	fails    bool
}

func (s *shop) Read(_ context.Context, book int64) (int64, error) {
	time.Sleep(time.Millisecond) // virtual: the tests run in a bubble
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[book] - s.behind, nil
}

func (s *shop) Update(_ context.Context, book int64) (int64, error) {
	time.Sleep(time.Millisecond)
	if s.fails {
		return 0, errors.New("the disk is full")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[book]++
	return s.versions[book], nil
}

func drive(t *testing.T, s *shop, ledger *Ledger) *Result {
	t.Helper()
	var ops atomic.Int64
	s.versions = map[int64]int64{}
	c := Config{Books: 10, Workers: 4, Theta: 0.99, Reads: 0.95, Duration: 10 * time.Second, Seed: 1}
	result, err := Run(t.Context(), c, s, ledger, &ops)
	if err != nil {
		t.Fatal(err)
	}
	if ops.Load() != result.Operations()+result.Errors {
		t.Errorf("%d operations under way, %d in the result", ops.Load(), result.Operations()+result.Errors)
	}
	return result
}

func TestRunIsTheWorkload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := drive(t, &shop{}, NewLedger(10, time.Second))
		if err := result.Check(); err != nil {
			t.Errorf("a correct shop fails the check: %v", err)
		}
		// 4 workers, 1 ms a call, 10 s
		if n := result.Operations(); n != 40_000 || result.Elapsed != 10*time.Second {
			t.Errorf("%d operations in %v", n, result.Elapsed)
		}
		if n := result.Updates.TotalCount(); n < 1900 || n > 2100 {
			t.Errorf("%d updates, want about 5 %% of 40,000", n)
		}
		if p := result.Reads.ValueAtQuantile(99); p < 999_000 || p > 1_001_000 {
			t.Errorf("p99 of reads that take 1 ms: %d ns", p)
		}
	})
}

func TestCheckFailsOnAStaleRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := drive(t, &shop{behind: 1}, NewLedger(10, time.Second))
		if result.StaleOwn == 0 {
			t.Error("no stale read was seen")
		}
		if err := result.Check(); err == nil || !strings.Contains(err.Error(), "stale") {
			t.Errorf("a stale shop passes the check: %v", err)
		}
	})
}

// A read in another process may be late by the bound, and not by more.
func TestCheckFailsOnAStaleReadAcrossProcesses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ledger := NewLedger(10, time.Second)
		for book := range int64(10) {
			ledger.Acknowledge(book+1, 1<<20, time.Now()) // by another process
		}
		clear(ledger.own) // which was not this one
		result := drive(t, &shop{}, ledger)
		if result.StaleSettled == 0 || result.StaleSettled == result.Reads.TotalCount() {
			t.Errorf("%d of %d reads are stale; want those after the first second", result.StaleSettled, result.Reads.TotalCount())
		}
		if err := result.Check(); err == nil {
			t.Error("a stale shop passes the check")
		}
	})
}

func TestCheckFailsOnErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := drive(t, &shop{fails: true}, NewLedger(10, time.Second))
		if err := result.Check(); err == nil || !strings.Contains(err.Error(), "the disk is full") {
			t.Errorf("a failing shop gives %v", err)
		}
	})
}

func TestResultTravels(t *testing.T) {
	sent := newResult()
	record(sent.Reads, 3*time.Millisecond)
	record(sent.Updates, 2*time.Hour)
	sent.Elapsed, sent.StaleOwn, sent.FirstError = time.Second, 7, "no"
	text, err := json.Marshal(sent)
	if err != nil {
		t.Fatal(err)
	}
	got := newResult()
	if err := json.Unmarshal(text, got); err != nil {
		t.Fatal(err)
	}
	got.Add(sent)
	if got.Reads.TotalCount() != 2 || got.Updates.Max() < longest || got.StaleOwn != 14 || got.Elapsed != time.Second || got.FirstError != "no" {
		t.Errorf("after the journey: %+v", got)
	}
}
