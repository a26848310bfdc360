package cachecheck

import (
	"fmt"
	"time"
)

// State is what the database holds of an object.
type State struct {
	Version, Value uint64
	Present        bool
}

// Rules are what a Judge is to hold against the answers.
type Rules struct {
	// Bound is, for each level, how old an answer may be: a read is not older than what had
	// been acknowledged the bound before it began. 0: staleness is measured and not judged.
	Bound [levels]time.Duration
	// Keep bounds the violations kept for the report, the shortest ones; 0 means 20.
	Keep int
	// Explain, if not nil, is asked for more about a violation that is kept, as soon as it has
	// been found.
	Explain func(Violation) string
}

// Judge reads events in the order of their ends and judges each read. It is used by one
// goroutine at a time.
type Judge struct {
	rules   Rules
	objects map[uint64]*object
	report  Report
	voids   []span
	debts   debts
	truth   map[uint64]State
	final   map[string]Violation // mismatches of the last round of final reads
	last    int64
}

// The rules, as a Violation names them.
const (
	RuleBound    = "older than the bound of its level"
	RuleAcked    = "older than what was acknowledged"
	RuleRead     = "older than what was read before"
	RuleOwnWrite = "older than its own write"
	RuleOwnRead  = "older than what it has read before"
	RuleEarly    = "read before it was written"
	RuleValues   = "two values of one version"
	RuleFinal    = "not what the database holds when all is quiet"
)

// span is a time in which a rule, or with none any rule, is void.
type span struct {
	from, to int64
	rule     string
}

// NewJudge makes a Judge that knows nothing of any object.
func NewJudge(r Rules) *Judge {
	if r.Keep == 0 {
		r.Keep = 20
	}
	return &Judge{rules: r, objects: map[uint64]*object{}, report: Report{Notes: map[uint64]uint64{}}}
}

// Void says that a fault from outside of what the levels assume stood between these times:
// violations of a rule, of any rule where it is empty, by reads that overlap it are counted apart.
// What comes later is judged again. Quiescence is judged all the same.
func (j *Judge) Void(from, to int64, rule string) { j.voids = append(j.voids, span{from, to, rule}) }

// Settle begins a round of final reads: from now on reads that are Final are compared with
// truth, and what differed in an earlier round is forgotten.
func (j *Judge) Settle(truth map[uint64]State) {
	j.truth, j.final = truth, map[string]Violation{}
}

// Unsettled is the number of objects that some process does not read as the database holds them.
func (j *Judge) Unsettled() int { return len(j.final) }

// Add judges one event.
func (j *Judge) Add(e Event) {
	if e.End < j.last {
		panic(fmt.Sprintf("cachecheck: an event that ended at %d comes after one that ended at %d", e.End, j.last))
	}
	j.last = e.End
	if e.Kind == Note {
		j.report.Notes[e.Object] += e.Version
		return
	}
	if e.Kind == Debt {
		j.debts.add(e)
		return
	}
	if e.Kind == Done {
		j.debts.add(e)
		if e.Outcome == Unknown {
			for _, o := range j.objects {
				o.abandoned(e.Process, e.Client, e.End)
			}
		}
		return
	}
	o := j.objects[e.Object]
	if o == nil {
		o = &object{}
		j.objects[e.Object] = o
	}
	t := &j.report.Levels[e.Level]
	if e.Call {
		t.Calls++
	}
	j.report.Events++
	switch e.Kind {
	case Begin:
		o.begin(e)
	case Write:
		t.Writes++
		j.write(o, t, e)
	case Read:
		t.Reads++
		if e.Final {
			j.settled(e)
		} else {
			j.read(o, t, e)
		}
	}
	o.remember(e)
}

func (j *Judge) write(o *object, t *Tally, e Event) {
	switch e.Outcome {
	case Failed:
		t.Failed++
	case Unknown:
		t.Unknown++
	}
	o.end(e)
	if e.Outcome != OK {
		return
	}
	j.known(o, t, e)
	if early, ok := o.unborn[e.Version]; ok {
		delete(o.unborn, e.Version)
		if early.End < e.Start {
			j.violation(o, t, RuleEarly, early, e)
		}
	}
	o.acked.raise(e)
	o.known.raise(e)
	raiseIn(&o.own, e.Process, e)
}

// known checks that a version has one value.
func (j *Judge) known(o *object, t *Tally, e Event) {
	at := &o.values[e.Version%uint64(len(o.values))]
	switch {
	case at.version < e.Version:
		*at = value{e.Version, e.Value, e}
		if e.Kind == Read {
			if len(o.unborn) > 1000 { // writes whose outcome nobody has told
				clear(o.unborn)
			}
			if o.unborn == nil {
				o.unborn = map[uint64]Event{}
			}
			o.unborn[e.Version] = e
		}
	case at.version == e.Version && at.value != e.Value:
		j.violation(o, t, RuleValues, e, at.by)
	}
}

func (j *Judge) read(o *object, t *Tally, e Event) {
	if e.Present {
		j.known(o, t, e)
	} else {
		t.Absent++
	}
	j.stale(o, t, e)
	missed, rule := j.broken(o, e)
	if rule != "" {
		j.violation(o, t, rule, e, missed)
	}
	if e.Present {
		o.known.raise(e)
		raiseIn(&o.ownBy, view{e.Process, e.View}, e)
	}
}

// broken finds what a read should have seen by the promise of its level.
func (j *Judge) broken(o *object, e Event) (missed Event, rule string) {
	below := func(f *floor, t int64) bool {
		low, ok := f.at(t)
		missed = low
		return ok && o.misses(e, low)
	}
	if d := j.rules.Bound[e.Level]; d > 0 && below(&o.acked, e.Start-int64(d)) {
		return missed, RuleBound
	}
	switch e.Level {
	case Strict, Leased:
		if below(&o.acked, e.Start) {
			return missed, RuleAcked
		}
		if below(&o.known, e.Start) {
			return missed, RuleRead
		}
	case Session:
		acked, read := o.ownFloors(e.Process, e.View)
		if below(acked, e.Start) {
			return missed, RuleOwnWrite
		}
		if below(read, e.Start) {
			return missed, RuleOwnRead
		}
	}
	return Event{}, ""
}

// misses reports whether a read shows an object as it was before low.
func (o *object) misses(e, low Event) bool {
	if e.Present {
		return e.Version < low.Version
	}
	return !o.mayBeGone(low, e.End)
}

// stale measures how old an answer is, whatever its level allows: the time since a newer
// version was acknowledged, to its own process and to anybody.
func (j *Judge) stale(o *object, t *Tally, e Event) {
	if low, ok := o.acked.at(e.Start); !ok || !o.misses(e, low) {
		return
	}
	age := func(f *floor) time.Duration {
		newer, ok := Event{}, false
		if e.Present {
			newer, ok = f.above(e.Version)
		} else { // since when it has been there again
			newer, ok = f.at(e.Start)
			ok = ok && o.misses(e, newer)
		}
		if !ok || newer.End >= e.Start {
			return 0
		}
		return time.Duration(e.Start - newer.End)
	}
	if d := age(o.own[e.Process]); d > 0 {
		t.StaleOwn++
		t.OldestOwn = max(t.OldestOwn, d)
		return
	}
	t.StaleCross++
	if j.void(RuleBound, e) {
		t.OldestVoid = max(t.OldestVoid, age(&o.acked))
		return
	}
	t.OldestCross = max(t.OldestCross, age(&o.acked))
}

// void reports whether a read stands in a void window of a rule.
func (j *Judge) void(rule string, read Event) bool {
	for _, v := range j.voids {
		if read.Start <= v.to && read.End >= v.from && (v.rule == "" || v.rule == rule) {
			return true
		}
	}
	if read.Level == Eventual || rule != RuleBound && rule != RuleOwnRead {
		return false // an entry lives as long as it lives, whatever is owed
	}
	return j.debts.excuse(read, j.rules.Bound[read.Level])
}

func (j *Judge) settled(e Event) {
	want, ok := j.truth[e.Object]
	if !ok || e.Present == want.Present && (!e.Present || e.Version == want.Version && e.Value == want.Value) {
		return
	}
	missed := Event{Kind: Write, Level: e.Level, Object: e.Object, Version: want.Version, Value: want.Value, Present: want.Present}
	if o := j.objects[e.Object]; o != nil {
		if w, ok := o.acked.above(want.Version - 1); ok && w.Version == want.Version {
			missed = w
		}
	}
	j.final[fmt.Sprint(e.Process, e.View, e.Object)] = Violation{Rule: RuleFinal, Read: e, Missed: missed, Between: j.objects[e.Object].between(missed.Start, e.End)}
}

// violation counts one and keeps it if it is among the shortest.
func (j *Judge) violation(o *object, t *Tally, rule string, e, missed Event) {
	if j.void(rule, e) {
		t.Void++
		return
	}
	if e.Process == missed.Process {
		t.BrokenOwn++
	} else {
		t.BrokenCross++
	}
	v := Violation{Rule: rule, Read: e, Missed: missed}
	at := len(j.report.Violations)
	for at > 0 && j.report.Violations[at-1].length() > v.length() {
		at--
	}
	if at >= j.rules.Keep {
		return
	}
	v.Between = o.between(missed.Start, e.End)
	if j.rules.Explain != nil {
		v.Steps = j.rules.Explain(v)
	}
	list := append(j.report.Violations, Violation{})
	copy(list[at+1:], list[at:])
	list[at] = v
	j.report.Violations = list[:min(len(list), j.rules.Keep)]
}

// Report is what has been found so far. Final mismatches count as violations.
func (j *Judge) Report() Report {
	r := j.report
	r.Violations = append([]Violation(nil), r.Violations...)
	r.Debts = j.debts.sum
	for _, v := range j.final {
		r.Unsettled++
		r.Violations = append(r.Violations, v)
	}
	return r
}
