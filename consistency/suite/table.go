package suite

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/cachegen/cachegen/consistency/fault"
	"github.com/cachegen/cachegen/consistency/layer"
	"github.com/cachegen/cachegen/consistency/linear"
	"github.com/cachegen/cachegen/consistency/work"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// Outcome is what a run has found.
type Outcome struct {
	Run
	Known  bool          // to be broken
	Near   bool          // some reads have to be answered near
	Bound  time.Duration // on how old answers may be after an acknowledgement; 0: not at all
	Result cachecheck.Result
	Linear linear.Result
}

// Wrong reports whether a promise was broken.
func (o Outcome) Wrong() bool { return o.Result.Broken() > 0 || len(o.Linear.Wrong) > 0 }

// Idle reports whether no read was answered near where some have to be: then what is to be
// checked has not happened.
func (o Outcome) Idle() bool { return o.Near && o.Result.Stats[layer.NearHits] == 0 }

// AsExpected reports whether a layer that is known to be broken was found out, or another one
// came out clean.
func (o Outcome) AsExpected() bool { return o.Wrong() == o.Known && !o.Idle() }

// Injected counts all faults by kind, those that the processes did to themselves included.
func (o Outcome) Injected() (text string, total uint64) {
	counts := maps.Clone(o.Result.Faults)
	for i, name := range work.Notes {
		counts[name] += o.Result.Notes[uint64(i)]
	}
	if o.Result.Kills > counts["process killed"] {
		counts["process killed at a step"] = o.Result.Kills - counts["process killed"]
	}
	return fault.Count(counts)
}

// Line says in a line what came out.
func (o Outcome) Line() string {
	verdict := "clean"
	switch {
	case o.Wrong() && o.Known:
		verdict = "found out"
	case o.Wrong():
		verdict = "BROKEN"
	case o.Known:
		verdict = "NOT FOUND OUT"
	case o.Idle():
		verdict = "NO NEAR HITS"
	}
	faults, _ := o.Injected()
	return fmt.Sprintf("%v: %s in %v\n\tfaults: %s", o.Run, verdict, o.Result.Took.Round(time.Second), faults)
}

// Story tells the shortest schedule that is wrong, and where porcupine's pictures are.
func (o Outcome) Story() string {
	var b strings.Builder
	for _, v := range o.Result.Violations[:min(3, len(o.Result.Violations))] {
		fmt.Fprintln(&b, v)
	}
	for _, file := range o.Linear.Wrong {
		fmt.Fprintln(&b, "no order of these calls explains their answers:", file)
	}
	return b.String()
}

// table prints what was called, injected and judged; how old answers were, with the bound; and
// what the layers have counted themselves.
func table(out io.Writer, rows []Outcome) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nlayer\tlevel\tfaults\tdatabase\tcalls\tcalls/s\tinjected\tbroken own/cross\tunsettled\tporcupine")
	for _, o := range rows {
		t := o.Result.Total()
		_, faults := o.Injected()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%.0f\t%d\t%d / %d\t%d\t%s\n",
			o.Layer, o.Level, o.Faults, o.Database, t.Calls, float64(t.Calls)/o.Result.Took.Seconds(), faults,
			t.BrokenOwn, t.BrokenCross, o.Result.Unsettled, porcupine(o.Linear))
	}
	fmt.Fprintln(w, "\nlayer\tlevel\tfaults\tstale own/cross\toldest own/cross\tbound\tvoid\toldest void\towing\tfor")
	for _, o := range rows {
		t, d := o.Result.Total(), o.Result.Debts
		fmt.Fprintf(w, "%s\t%s\t%s\t%d / %d\t%v / %v\t%v\t%d\t%v\t%d\t%v\n",
			o.Layer, o.Level, o.Faults, t.StaleOwn, t.StaleCross, short(t.OldestOwn), short(t.OldestCross), o.Bound,
			t.Void, short(t.OldestVoid), d.Windows, short(d.Time))
	}
	counted(w, rows)
	_ = w.Flush()
}

// counted prints what layers that count have counted.
func counted(w io.Writer, rows []Outcome) {
	columns := slices.Concat([]string{layer.NearHits, "near lapsed", "store hits", "loads"}, layer.Voids)
	fmt.Fprintf(w, "\nlayer\tlevel\tfaults\t%s\n", strings.Join(columns, "\t"))
	for _, o := range rows {
		if len(o.Result.Stats) == 0 {
			continue
		}
		fmt.Fprintf(w, "%s\t%s\t%s", o.Layer, o.Level, o.Faults)
		for _, c := range columns {
			fmt.Fprintf(w, "\t%d", o.Result.Stats[c])
		}
		fmt.Fprintln(w)
	}
}

func short(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

func porcupine(r linear.Result) string {
	if r.Pieces == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d pieces wrong", len(r.Wrong), r.Pieces)
}
