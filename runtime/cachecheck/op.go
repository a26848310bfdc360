package cachecheck

import (
	"context"
	"io"
	"math/rand/v2"
)

// System is what is checked: a cached layer over a database, as one process uses it. Each
// process opens one. Methods are called by several goroutines at a time.
type System interface {
	// Step makes ONE call of the layer, chosen by op.Rand, and says through op what it did: a
	// read calls Saw or Absent when it has returned, a write Begins before it and Wrote or
	// Removed after it. The time from before Step to after it counts as the time of the call, so
	// Step should do nothing else that takes time. Errors are for op.Fail.
	Step(ctx context.Context, op *Op)
	// Final reads every object in every view and says through op what it saw. It is called when
	// all processes have come to rest, and again, for a while, if something was stale.
	Final(ctx context.Context, op *Op)
	// Rest returns when background work, such as invalidations still owed, has been done.
	Rest(ctx context.Context) error
	// Stats is whatever the layer counts, for the report.
	Stats() map[string]uint64
}

// Op records one call. It is used by the goroutine that it was handed to. Writes are sent before
// and after the call; of reads the last few are sent together, and die with the process.
type Op struct {
	// Rand is the client's own.
	Rand *rand.Rand
	// Level is what the layer was asked to promise; the run's unless Step sets another one.
	Level Level
	// Client and Serial name the call in traces.
	Client uint32
	Serial uint64

	out     io.Writer
	process uint32
	final   bool
	start   int64
	events  []Event
	buffer  []byte // not sent yet
	sent    int64  // when the last events were
}

// Reads wait until they fill a buffer, or until one ends that long after the last were sent: an
// event is a system call here and another one for who judges.
const (
	fullBuffer = 32 * eventSize
	longWait   = int64(20e6)
)

// Discard returns the Op of a client whose record nobody reads, for tests of a System.
func Discard(client uint32) *Op {
	return &Op{Rand: rand.New(rand.NewPCG(uint64(client), 0)), Client: client, out: io.Discard}
}

// Begin announces a write of object before the layer is called: gone, if it deletes it.
func (op *Op) Begin(object uint64, gone bool) {
	e := op.event(Begin, object, 0, !gone)
	e.Start, e.End = op.start, op.start
	op.flush(e)
}

// Token makes a value that nobody has written before.
func (op *Op) Token() uint64 { return op.Rand.Uint64() >> 1 }

// Saw says that a read has returned a version of object, with the value stored under it.
func (op *Op) Saw(object uint64, view uint8, version, value uint64) {
	e := op.event(Read, object, view, true)
	e.Version, e.Value = version, value
	op.events = append(op.events, e)
}

// Absent says that a read has found no such object.
func (op *Op) Absent(object uint64, view uint8) {
	op.events = append(op.events, op.event(Read, object, view, false))
}

// Wrote says that a write has given object this version.
func (op *Op) Wrote(object, version, value uint64) {
	e := op.event(Write, object, 0, true)
	e.Version, e.Value = version, value
	op.events = append(op.events, e)
}

// Removed says that a write has deleted object, and with which version.
func (op *Op) Removed(object, version uint64) {
	e := op.event(Write, object, 0, false)
	e.Version = version
	op.events = append(op.events, e)
}

// Fail says that a write has returned an error: Failed only if it certainly changed
// nothing. A read that has failed has seen nothing and says nothing.
func (op *Op) Fail(object uint64, gone bool, o Outcome) {
	e := op.event(Write, object, 0, !gone)
	e.Outcome = o
	op.events = append(op.events, e)
}

// Note counts n faults that the process has done to itself, by an index of its own.
func (op *Op) Note(fault, n uint64) {
	e := op.event(Note, fault, 0, false)
	e.Version = n
	op.events = append(op.events, e)
}

// Owes says from when on the process owes others an invalidation that it could not deliver, and
// when it owes nothing any more: what levels promise about the answers in other processes may be
// void in between. Call it before the call that is to be excused has returned.
func (op *Op) Owes(something bool) {
	e := op.event(Debt, 0, 0, something)
	e.Start = Now()
	e.End = e.Start
	op.flush(e)
}

func (op *Op) event(k Kind, object uint64, view uint8, present bool) Event {
	return Event{
		Kind: k, Level: op.Level, View: view, Present: present, Final: op.final,
		Process: op.process, Client: op.Client, Object: object,
	}
}

// end takes what the call has recorded, and sends it if it is more than reads.
func (op *Op) end() error {
	end := Now()
	counted, urgent := false, op.final
	for _, e := range op.events {
		e.Start, e.End = op.start, end
		if !counted && !op.final && e.Kind != Note {
			e.Call, counted = true, true
		}
		urgent = urgent || e.Kind == Write
		op.buffer = e.Append(op.buffer)
	}
	op.events = op.events[:0]
	if urgent || len(op.buffer) >= fullBuffer || end-op.sent > longWait {
		return op.send(end)
	}
	return nil
}

// send sends what is in the buffer, in one piece. What has been sent survives the process.
func (op *Op) send(now int64) error {
	op.sent = now
	if len(op.buffer) == 0 {
		return nil
	}
	_, err := op.out.Write(op.buffer)
	op.buffer = op.buffer[:0]
	return err
}

// flush sends e at once, and before it what is in the buffer.
func (op *Op) flush(e Event) {
	op.buffer = e.Append(op.buffer)
	_ = op.send(e.End)
}
