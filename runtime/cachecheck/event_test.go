package cachecheck

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

func TestEventsSurviveTheWire(t *testing.T) {
	want := []Event{
		{Kind: Begin, Level: Strict, Process: 3, Client: 9, Object: 1 << 56, Start: 5, End: 5},
		{Kind: Write, Outcome: Unknown, Level: Leased, Object: 7, Start: 5, End: 9},
		{Kind: Read, Level: Session, View: 2, Present: true, Call: true, Final: true, Version: 1 << 60, Value: 1<<64 - 1, Start: -4, End: 1 << 62},
		{Kind: Note, Object: 2, Version: 11},
		{Kind: Done, Outcome: Unknown, End: 1},
		{Kind: Debt, Present: true, Process: 4, Start: 8, End: 8},
		{Kind: Debt, Process: 4, Start: 9, End: 9},
	}
	var b []byte
	for _, e := range want {
		b = e.Append(b)
	}
	r := bytes.NewReader(b[:len(b)-1]) // the last one is cut off
	for _, e := range want[:len(want)-1] {
		if got, err := ReadEvent(r); err != nil || got != e {
			t.Errorf("read %+v, %v, want %+v", got, err, e)
		}
	}
	if _, err := ReadEvent(r); !errors.Is(err, io.EOF) {
		t.Errorf("half an event: %v, want EOF", err)
	}
	if _, err := ReadEvent(bytes.NewReader(make([]byte, eventSize))); !errors.Is(err, errEvent) {
		t.Errorf("zeros: %v, want an error", err)
	}
}

func TestClockRises(t *testing.T) {
	last := Now()
	for range 1000 {
		now := Now()
		if now < last {
			t.Fatalf("%d after %d", now, last)
		}
		last = now
	}
}

func TestLevelsHaveNames(t *testing.T) {
	for l := range levels {
		if got, err := ParseLevel(l.String()); err != nil || got != l {
			t.Errorf("%v: %v, %v", l, got, err)
		}
	}
	if _, err := ParseLevel("exact"); err == nil {
		t.Error("an unknown level was taken")
	}
}
