package cachecheck

import (
	"math/rand/v2"
	"sort"
	"strings"
	"testing"
	"time"
)

// The history of one object, as short functions that read like schedules. All times in ns.

func wrote(p uint32, version uint64, start, end int64) Event {
	return Event{Kind: Write, Present: true, Process: p, Version: version, Value: 100 + version, Start: start, End: end}
}

func removed(p uint32, version uint64, start, end int64) Event {
	return Event{Kind: Write, Process: p, Version: version, Start: start, End: end}
}

func saw(p uint32, version uint64, start, end int64) Event {
	return Event{Kind: Read, Present: true, Process: p, Version: version, Value: 100 + version, Start: start, End: end}
}

func absent(p uint32, start, end int64) Event {
	return Event{Kind: Read, Process: p, Start: start, End: end}
}

func deleting(p uint32, at int64) Event { return Event{Kind: Begin, Process: p, Start: at, End: at} }

func through(v uint8, e Event) Event { e.View = v; return e }

func ends(o Outcome, e Event) Event { e.Outcome, e.Version = o, 0; return e }

func TestJudge(t *testing.T) {
	const s = int64(time.Second)
	tests := []struct {
		name    string
		history []Event
		rules   map[Level]string // what is broken; "" or missing: nothing
	}{
		{"a read after an acknowledgement is old", []Event{wrote(1, 1, 0, 1), wrote(1, 2, 2, 3), saw(2, 1, 4, 5)},
			map[Level]string{Strict: RuleAcked, Leased: RuleAcked}},
		{"its own write is not seen", []Event{wrote(1, 1, 0, 1), wrote(1, 2, 2, 3), saw(1, 1, 4, 5)},
			map[Level]string{Strict: RuleAcked, Leased: RuleAcked, Session: RuleOwnWrite}},
		{"a read that overlaps the write may be old", []Event{wrote(1, 1, 0, 1), wrote(1, 2, 2, 5), saw(1, 1, 4, 6)}, nil},
		{"a read that begins as the write ends may be old", []Event{wrote(1, 1, 0, 1), wrote(1, 2, 2, 5), saw(1, 1, 5, 6)}, nil},
		{"somebody has read what another one does not", []Event{wrote(1, 1, 0, 1), saw(2, 2, 3, 4), saw(3, 1, 5, 6)},
			map[Level]string{Strict: RuleRead, Leased: RuleRead}},
		{"back in time in one process", []Event{wrote(1, 1, 0, 1), saw(2, 2, 3, 4), saw(2, 1, 5, 6)},
			map[Level]string{Strict: RuleRead, Leased: RuleRead, Session: RuleOwnRead}},
		{"back in time in another view", []Event{wrote(1, 1, 0, 1), saw(2, 2, 3, 4), through(1, saw(2, 1, 5, 6))},
			map[Level]string{Strict: RuleRead, Leased: RuleRead}},
		{"older than the bound", []Event{wrote(1, 1, 0, 1), wrote(1, 2, 2, 3), saw(2, 1, 3*s, 3*s+1)},
			map[Level]string{Strict: RuleAcked, Leased: RuleAcked, Bounded: RuleBound, Session: RuleBound}},
		{"an unknown outcome raises nothing", []Event{wrote(1, 1, 0, 1), ends(Unknown, wrote(1, 2, 2, 3)), saw(1, 1, 4, 5)}, nil},
		{"an unknown outcome that was read", []Event{wrote(1, 1, 0, 1), ends(Unknown, wrote(1, 2, 2, 3)), saw(2, 2, 4, 5), saw(2, 1, 6, 7)},
			map[Level]string{Strict: RuleRead, Leased: RuleRead, Session: RuleOwnRead}},
		{"read before it was written", []Event{wrote(1, 1, 0, 1), saw(2, 2, 2, 3), wrote(1, 2, 4, 5)}, all(RuleEarly)},
		{"two values of one version", []Event{wrote(1, 1, 0, 1), {Kind: Read, Present: true, Process: 2, Version: 1, Value: 7, Start: 2, End: 3}}, all(RuleValues)},
		{"created, and still not there", []Event{removed(1, 1, 0, 1), wrote(1, 2, 2, 3), absent(2, 4, 5)},
			map[Level]string{Strict: RuleAcked, Leased: RuleAcked}},
		{"not there while it is being created", []Event{removed(1, 1, 0, 1), absent(2, 2, 4), wrote(1, 2, 3, 5)}, nil},
		{"deleted, and still there", []Event{wrote(1, 1, 0, 1), deleting(1, 2), removed(1, 2, 2, 3), saw(2, 1, 4, 5)},
			map[Level]string{Strict: RuleAcked, Leased: RuleAcked}},
		{"not there while it is being deleted", []Event{wrote(1, 1, 0, 1), deleting(1, 2), absent(2, 3, 4), removed(1, 2, 2, 5)}, nil},
		{"not there after a deletion that has failed", []Event{wrote(1, 1, 0, 1), deleting(1, 2), ends(Failed, removed(1, 0, 2, 3)), absent(2, 4, 5)},
			map[Level]string{Strict: RuleAcked, Leased: RuleAcked}},
		{"not there after a deletion of unknown outcome", []Event{wrote(1, 1, 0, 1), deleting(1, 2), ends(Unknown, removed(1, 0, 2, 3)), absent(2, 4, 5)}, nil},
		{"not there after its deleter has died", []Event{wrote(1, 1, 0, 1), deleting(1, 2), {Kind: Done, Outcome: Unknown, Process: 1, Start: 3, End: 3}, absent(2, 4, 5)}, nil},
		{"a deletion of unknown outcome explains nothing that is much newer", []Event{
			wrote(1, 1, 0, 1), deleting(1, 2), ends(Unknown, removed(1, 0, 2, 3)), wrote(2, 3, 11*s, 11*s+1), absent(3, 11*s+2, 11*s+3)},
			map[Level]string{Strict: RuleAcked, Leased: RuleAcked}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for level := range levels {
				rules := Rules{}
				rules.Bound[Bounded], rules.Bound[Session] = 2*time.Second, 2*time.Second
				if got, want := judged(rules, level, tt.history), tt.rules[level]; got != want {
					t.Errorf("%v: %q, want %q", level, got, want)
				}
			}
		})
	}
}

func all(rule string) map[Level]string {
	m := map[Level]string{}
	for l := range levels {
		m[l] = rule
	}
	return m
}

// judged is the rule that a history breaks first.
func judged(rules Rules, level Level, history []Event) string {
	j := NewJudge(rules)
	for _, e := range history {
		e.Level = level
		j.Add(e)
	}
	r := j.Report()
	if len(r.Violations) == 0 {
		return ""
	}
	return r.Violations[0].Rule
}

func TestVoidWindowsAreCountedApart(t *testing.T) {
	for _, tt := range []struct {
		rule         string
		broken, void uint64
	}{{"", 0, 1}, {RuleAcked, 0, 1}, {RuleOwnRead, 1, 0}} {
		j := NewJudge(Rules{})
		j.Void(4, 4, tt.rule)
		for _, e := range []Event{wrote(1, 1, 0, 1), wrote(1, 2, 2, 3), saw(2, 1, 4, 5)} {
			e.Level = Strict
			j.Add(e)
		}
		if got := j.Report().Total(); got.Broken() != tt.broken || got.Void != tt.void {
			t.Errorf("rule %q: %d broken, %d void, want %d and %d", tt.rule, got.Broken(), got.Void, tt.broken, tt.void)
		}
	}
}

// owes is a process that owes something from a time on, or pays.
func owes(p uint32, something bool, at int64) Event {
	return Event{Kind: Debt, Present: something, Process: p, Start: at, End: at}
}

func TestDebtsVoidTheBoundOfOthers(t *testing.T) {
	const s = int64(time.Second)
	died := func(at int64) Event { return Event{Kind: Done, Outcome: Unknown, Process: 1, Start: at, End: at} }
	old := func(at int64) Event { return saw(2, 1, at, at+1) }
	tests := []struct {
		name   string
		level  Level
		then   []Event // after version 2 was acknowledged at 3 ns; the bound is 1 s
		broken uint64
		void   uint64
		debts  Debts
	}{
		{"within the bound", Bounded, []Event{old(s)}, 0, 0, Debts{}},
		{"nobody owes anything", Bounded, []Event{old(2 * s)}, 1, 0, Debts{}},
		{"owed", Bounded, []Event{owes(1, true, 3), old(2 * s)}, 0, 1, Debts{Windows: 1}},
		{"owed and said twice", Bounded, []Event{owes(1, true, 3), owes(1, true, 4), old(2 * s)}, 0, 1, Debts{Windows: 1}},
		{"paid, within the bound", Bounded, []Event{owes(1, true, 3), owes(1, false, 3*s), old(4 * s)}, 0, 1, Debts{Windows: 1, Time: 3*time.Second - 3}},
		{"paid long ago", Bounded, []Event{owes(1, true, 3), owes(1, false, 3*s), old(4*s + 1)}, 1, 0, Debts{Windows: 1, Time: 3*time.Second - 3}},
		{"one of two has paid", Session, []Event{owes(1, true, 3), owes(3, true, 5), owes(3, false, 6), old(9 * s)}, 0, 1, Debts{Windows: 2, Time: 1}},
		{"died owing", Session, []Event{owes(1, true, 3), died(s), old(9 * s)}, 0, 1, Debts{Windows: 1, Died: 1, Time: time.Second - 3}},
		{"died, and owed nothing", Session, []Event{died(s), old(9 * s)}, 1, 0, Debts{}},
		{"its own write is its own", Session, []Event{owes(1, true, 3), saw(1, 1, s/2, s/2+1)}, 1, 0, Debts{Windows: 1}},
		{"what an entry outlives is no matter of debts", Eventual, []Event{owes(1, true, 3), old(2 * s)}, 1, 0, Debts{Windows: 1}},
		{"nobody owes at strict", Strict, []Event{owes(1, true, 3), old(2 * s)}, 1, 0, Debts{Windows: 1}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			rules := Rules{}
			rules.Bound[Eventual], rules.Bound[Bounded], rules.Bound[Session] = time.Second, time.Second, time.Second
			j := NewJudge(rules)
			for _, e := range append([]Event{wrote(1, 1, 0, 1), wrote(1, 2, 2, 3)}, tt.then...) {
				e.Level = tt.level
				j.Add(e)
			}
			r := j.Report()
			if got := r.Total(); got.Broken() != tt.broken || got.Void != tt.void {
				t.Errorf("%d broken, %d void, want %d and %d", got.Broken(), got.Void, tt.broken, tt.void)
			}
			if r.Debts != tt.debts {
				t.Errorf("debts %+v, want %+v", r.Debts, tt.debts)
			}
		})
	}
}

func TestTheOldestAnswersAreMeasuredApart(t *testing.T) {
	rules := Rules{}
	rules.Bound[Bounded] = time.Second
	j := NewJudge(rules)
	for _, e := range []Event{
		wrote(1, 1, 0, 1), wrote(1, 2, 2, 3), saw(2, 1, 503, 504), owes(1, true, 600), saw(2, 1, 1003, 1004),
	} {
		e.Level = Bounded
		j.Add(e)
	}
	if got := j.Report().Total(); got.OldestCross != 500 || got.OldestVoid != 1000 {
		t.Errorf("oldest %v, in a void window %v, want 500ns and 1µs", got.OldestCross, got.OldestVoid)
	}
}

func TestFinalReadsAreComparedWithTheDatabase(t *testing.T) {
	j := NewJudge(Rules{})
	final := func(e Event) { e.Final = true; j.Add(e) }
	j.Add(wrote(1, 1, 0, 1))
	j.Settle(map[uint64]State{0: {Version: 2, Value: 102, Present: true}})
	final(saw(1, 1, 2, 3))
	final(absent(2, 4, 5))
	if n := j.Unsettled(); n != 2 {
		t.Errorf("%d reads differ, want 2", n)
	}
	j.Settle(map[uint64]State{0: {Version: 2, Value: 102, Present: true}})
	final(saw(1, 2, 6, 7))
	if r := j.Report(); r.Broken() != 0 {
		t.Errorf("broken after a second round: %+v", r)
	}
}

// TestRightHistoriesPass makes histories in which every call takes effect at one moment between
// its start and its end: no rule may find anything in them. Then one answer is made older, and
// must be found.
func TestRightHistoriesPass(t *testing.T) {
	for seed := range uint64(200) {
		history := rightHistory(rand.New(rand.NewPCG(seed, 0)))
		for _, level := range []Level{Session, Strict} {
			if rule := judged(Rules{}, level, history); rule != "" {
				t.Fatalf("seed %d, %v: %s", seed, level, rule)
			}
		}
		last := history[len(history)-1]
		old := saw(9, last.Version-1, last.End+1, last.End+2)
		if last.Version > 1 && judged(Rules{}, Strict, append(history, old)) == "" {
			t.Fatalf("seed %d: version %d was read when %d had been, and nobody minds", seed, old.Version, last.Version)
		}
	}
}

func rightHistory(r *rand.Rand) []Event {
	var history []Event
	var busy [6]int64 // until when each client is
	version := uint64(1)
	history = append(history, wrote(1, 1, 0, 0))
	for at := int64(10); at < 3000; at += 1 + r.Int64N(20) { // the moments, in order
		c := r.IntN(len(busy))
		start := max(busy[c]+1, at-r.Int64N(50))
		if start > at {
			continue
		}
		end := at + r.Int64N(50)
		busy[c] = end
		p := uint32(1 + c/2)
		e := saw(p, version, start, end)
		if r.IntN(3) == 0 {
			version++
			e = wrote(p, version, start, end)
		}
		e.Client = uint32(c)
		history = append(history, e)
	}
	sort.SliceStable(history, func(i, j int) bool { return history[i].End < history[j].End })
	end := history[len(history)-1].End
	return append(history, saw(1, version, end+1, end+2))
}

func TestMergerWaitsForTheSlowest(t *testing.T) {
	var got []int64
	m := newMerger(func(e Event) { got = append(got, e.End) })
	at := func(process uint32, end int64) { m.add(Event{Kind: Read, Process: process, End: end}) }
	m.start(1, 0)
	m.start(2, 0)
	at(1, 10)
	at(1, 30)
	if len(got) > 0 {
		t.Errorf("passed on %v when process 2 could still come up with something older", got)
	}
	at(2, 20)
	at(2, 40)
	m.add(Event{Kind: Done, Process: 1, End: 50})
	m.add(Event{Kind: Done, Process: 2, End: 60})
	want := []int64{10, 20, 30, 40, 50, 60}
	if len(got) != len(want) {
		t.Fatalf("passed on %v, want %v", got, want)
	}
	for i := range want {
		if got[i] != want[i] {
			t.Fatalf("passed on %v, want %v", got, want)
		}
	}
}

func TestAViolationTellsItsSchedule(t *testing.T) {
	j := NewJudge(Rules{Explain: func(Violation) string { return "    as traced\n" }})
	for _, e := range []Event{wrote(1, 1, 0, 1), wrote(1, 2, 2000, 3000), saw(2, 2, 3500, 4000), saw(2, 1, 4500, 5000)} {
		e.Level = Strict
		j.Add(e)
	}
	text := j.Report().Violations[0].String()
	for _, want := range []string{RuleAcked, "wrote version 2", "read version 2", "answer:", "read version 1", "as traced"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in:\n%s", want, text)
		}
	}
}
