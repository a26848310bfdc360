//go:build unix

package loadgen

import (
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestLedger(t *testing.T) {
	const bound = time.Second
	path := filepath.Join(t.TempDir(), "ledger")
	var ledgers [2]*Ledger // of two processes
	for i := range ledgers {
		l, err := OpenLedger(path, 3, bound)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		ledgers[i] = l
	}
	writer, reader := ledgers[0], ledgers[1]
	noon := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)

	writer.Acknowledge(2, 5, noon)
	if writer.Own(2) != 5 || reader.Own(2) != 0 {
		t.Errorf("own floors %d and %d, want 5 where it was acknowledged and none elsewhere", writer.Own(2), reader.Own(2))
	}
	for _, step := range []struct {
		after time.Duration
		want  int64
	}{
		{0, 0}, {bound - time.Millisecond, 0}, {bound + bound/slotsInBound, 5}, {time.Hour, 5},
	} {
		if got := reader.Settled(2, noon.Add(step.after)); got != step.want {
			t.Errorf("%v after the acknowledgement the settled floor is %d, want %d", step.after, got, step.want)
		}
	}
	if writer.Settled(1, noon.Add(time.Hour)) != 0 || writer.Settled(3, noon.Add(time.Hour)) != 0 {
		t.Error("other books have a floor")
	}
}

// A version must neither count early nor be forgotten when its slot is used again.
func TestLedgerOverManyTurns(t *testing.T) {
	const bound, step = time.Second, 40 * time.Millisecond
	l := NewLedger(1, bound)
	start := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	for version := int64(1); version < 2000; version++ {
		at := start.Add(time.Duration(version) * step)
		l.Acknowledge(1, version, at)
		got := l.Settled(1, at)
		newest := version - int64(bound/step) // acknowledged exactly a bound ago
		oldest := newest - int64(bound/slotsInBound/step) - 1
		if got > max(newest, 0) || got < max(oldest, 0) {
			t.Fatalf("at version %d the settled floor is %d, want %d to %d", version, got, oldest, newest)
		}
	}
}

func TestLedgerKeepsTheNewest(t *testing.T) {
	l := NewLedger(1, time.Second)
	at := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
	var wg sync.WaitGroup
	for worker := range 8 {
		wg.Go(func() {
			for version := int64(worker); version < 10_000; version += 8 {
				l.Acknowledge(1, version, at.Add(time.Duration(version)*time.Millisecond))
			}
		})
	}
	wg.Wait()
	if own, settled := l.Own(1), l.Settled(1, at.Add(time.Hour)); own != 9999 || settled != 9999 {
		t.Errorf("floors %d and %d, want 9999", own, settled)
	}
}
