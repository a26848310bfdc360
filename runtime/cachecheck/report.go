package cachecheck

import (
	"fmt"
	"strings"
	"time"
)

// Tally counts what happened at one level. Stale answers are counted whether or not the level
// allows them; broken promises are those it does not. Own: its own process had been
// acknowledged, or had read, what the answer does not show; cross: another one had.
type Tally struct {
	Calls, Reads, Writes   uint64
	Absent                 uint64 // reads that found nothing
	Failed, Unknown        uint64 // writes
	StaleOwn, StaleCross   uint64
	OldestOwn, OldestCross time.Duration
	OldestVoid             time.Duration // of the cross ones in a void window, which OldestCross leaves out
	BrokenOwn, BrokenCross uint64
	Void                   uint64 // would be broken, but stand in a void window
}

// Broken is the number of answers that break the promise of the level.
func (t Tally) Broken() uint64 { return t.BrokenOwn + t.BrokenCross }

// Violation is an answer that breaks a promise.
type Violation struct {
	Rule string
	// Read is the answer and Missed what it should have shown.
	Read, Missed Event
	// Between are the events on the object that overlap the time from one to the other.
	Between []Event
	// Steps is what Rules.Explain has said.
	Steps string
}

// length is the time that the schedule takes.
func (v Violation) length() int64 { return v.Read.End - min(v.Missed.Start, v.Read.Start) }

// String prints the schedule.
func (v Violation) String() string {
	zero := min(v.Missed.Start, v.Read.Start)
	var b strings.Builder
	fmt.Fprintf(&b, "object %#x: %s (%v)\n", v.Read.Object, v.Rule, time.Duration(v.length()))
	for _, e := range v.Between {
		mark := " "
		switch {
		case e == v.Read:
			mark = "!"
		case e == v.Missed:
			mark = "*"
		}
		fmt.Fprintf(&b, "  %s %s\n", mark, e.line(zero))
	}
	fmt.Fprintf(&b, "  missed: %s\n  answer: %s\n", v.Missed.line(zero), v.Read.line(zero))
	if v.Steps != "" {
		fmt.Fprintf(&b, "  step by step:\n%s", v.Steps)
	}
	return b.String()
}

// Report is what a Judge has found.
type Report struct {
	Levels [levels]Tally
	Events uint64
	// Notes counts the faults that processes have done to themselves, by their index.
	Notes map[uint64]uint64
	Debts Debts
	// Unsettled counts final reads that differ from the database.
	Unsettled int
	// Violations are the shortest ones, then those of the final reads.
	Violations []Violation
}

// Broken is the number of broken promises at all levels, final reads included.
func (r Report) Broken() uint64 {
	n := uint64(r.Unsettled)
	for _, t := range r.Levels {
		n += t.Broken()
	}
	return n
}

// Total sums up the levels.
func (r Report) Total() (sum Tally) {
	for _, t := range r.Levels {
		sum.Calls += t.Calls
		sum.Reads += t.Reads
		sum.Writes += t.Writes
		sum.Absent += t.Absent
		sum.Failed += t.Failed
		sum.Unknown += t.Unknown
		sum.StaleOwn += t.StaleOwn
		sum.StaleCross += t.StaleCross
		sum.OldestOwn = max(sum.OldestOwn, t.OldestOwn)
		sum.OldestCross = max(sum.OldestCross, t.OldestCross)
		sum.OldestVoid = max(sum.OldestVoid, t.OldestVoid)
		sum.BrokenOwn += t.BrokenOwn
		sum.BrokenCross += t.BrokenCross
		sum.Void += t.Void
	}
	return sum
}
