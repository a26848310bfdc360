package cachecheck

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// what an Op has sent.
func received(t *testing.T, b *bytes.Buffer) (kinds []Kind) {
	t.Helper()
	for r := bytes.NewReader(b.Bytes()); r.Len() > 0; {
		e, err := ReadEvent(r)
		if err != nil {
			t.Fatal(err)
		}
		kinds = append(kinds, e.Kind)
	}
	return kinds
}

func TestReadsAreSentTogetherAndWritesAtOnce(t *testing.T) {
	var out bytes.Buffer
	op := &Op{Rand: rand.New(rand.NewPCG(1, 1)), out: &out, sent: Now() + longWait} // no time passes
	call := func(what func()) {
		op.start = Now()
		what()
		if err := op.end(); err != nil {
			t.Fatal(err)
		}
	}
	read := func() { op.Saw(1, 0, 1, 1) }
	call(read)
	call(read)
	if got := received(t, &out); len(got) > 0 {
		t.Errorf("reads were sent one by one: %v", got)
	}
	call(func() {
		op.Begin(1, false)
		if got := received(t, &out); len(got) != 3 {
			t.Errorf("sent before a write: %v, want the reads and its beginning", got)
		}
		op.Owes(true)
		if got := received(t, &out); len(got) != 4 || got[3] != Debt {
			t.Errorf("sent before a write ended: %v, want a debt last", got)
		}
		op.Wrote(1, 2, 2)
	})
	if got := received(t, &out); len(got) != 5 || got[4] != Write {
		t.Errorf("sent after a write: %v, want it last", got)
	}
	for range fullBuffer / eventSize {
		op.sent = Now() + longWait
		call(read)
	}
	if got := len(received(t, &out)); got != 5+fullBuffer/eventSize {
		t.Errorf("%d events sent, want a full buffer after 5", got)
	}
	op.sent = 0
	call(read)
	if got := len(received(t, &out)); got != 6+fullBuffer/eventSize {
		t.Errorf("%d events sent, want the read that has waited long", got)
	}
}
