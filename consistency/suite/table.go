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
	"github.com/cachegen/cachegen/consistency/linear"
	"github.com/cachegen/cachegen/consistency/work"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// Outcome is what a run has found.
type Outcome struct {
	Run
	Known  bool // to be broken
	Result cachecheck.Result
	Linear linear.Result
}

// Wrong reports whether a promise was broken.
func (o Outcome) Wrong() bool { return o.Result.Broken() > 0 || len(o.Linear.Wrong) > 0 }

// AsExpected reports whether a layer that is known to be broken was found out, or another one
// came out clean.
func (o Outcome) AsExpected() bool { return o.Wrong() == o.Known }

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

func table(out io.Writer, rows []Outcome) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "\nlayer\tlevel\tfaults\tdatabase\tcalls\tinjected\tbroken own/cross\tunsettled\tstale own/cross\toldest own/cross\tvoid\tmarkers lost\tporcupine\tcalls/s")
	for _, o := range rows {
		t := o.Result.Total()
		_, faults := o.Injected()
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\t%d\t%d / %d\t%d\t%d / %d\t%v / %v\t%d\t%d\t%s\t%.0f\n",
			o.Layer, o.Level, o.Faults, o.Database, t.Calls, faults, t.BrokenOwn, t.BrokenCross, o.Result.Unsettled,
			t.StaleOwn, t.StaleCross, short(t.OldestOwn), short(t.OldestCross), t.Void, o.Result.Stats["markers lost"],
			porcupine(o.Linear), float64(t.Calls)/o.Result.Took.Seconds())
	}
	_ = w.Flush()
	counters := map[string]uint64{}
	for _, o := range rows {
		for k, v := range o.Result.Stats {
			counters[k] += v
		}
	}
	for _, k := range slices.Sorted(maps.Keys(counters)) {
		fmt.Fprintf(out, "%s %d  ", k, counters[k])
	}
	fmt.Fprintln(out)
}

func short(d time.Duration) time.Duration { return d.Round(100 * time.Microsecond) }

func porcupine(r linear.Result) string {
	if r.Pieces == 0 {
		return "-"
	}
	return fmt.Sprintf("%d of %d pieces wrong", len(r.Wrong), r.Pieces)
}
