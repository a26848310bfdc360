package cachert_test

import (
	"flag"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/internal/simulator"
)

var (
	seed   = flag.Int64("seed", -1, "simulate this seed alone, and log its schedule")
	broken = flag.String("broken", "", "simulate in the world that is broken in this way")
	seeds  = flag.Int("seeds", manySeeds, "how many seeds to simulate")
)

func simulate(t *testing.T, c simulator.Config) (r simulator.Result) {
	inBubble(t, func(run func(simulator.Config) simulator.Result) { r = run(c) })
	return r
}

// inBubble runs worlds one after another in one bubble.
func inBubble(t *testing.T, f func(run func(simulator.Config) simulator.Result)) {
	synctest.Test(t, func(*testing.T) {
		f(func(c simulator.Config) simulator.Result {
			c.Open = cachert.OpenWith
			return simulator.Run(c)
		})
	})
}

// A failure prints its schedule, once as it is and once with as little as still fails. To see
// that of any seed:
//
//	go test ./runtime/cachert -run '^TestSimulator$' -v -seed N
func TestSimulator(t *testing.T) {
	if *seed >= 0 {
		c := simulator.Config{Seed: uint64(*seed), Broken: simulator.Broken(*broken)}
		c.Trace = true
		t.Log("\n" + simulate(t, c).Schedule)
		if r := simulate(t, c); len(r.Violations) > 0 {
			fail(t, c, r)
		}
		return
	}
	const shards = 4
	all := tally{faults: map[string]int{}}
	t.Run("seeds", func(t *testing.T) {
		for shard := range shards {
			t.Run(fmt.Sprint(shard), func(t *testing.T) {
				t.Parallel()
				failed := map[uint64]simulator.Result{}
				inBubble(t, func(run func(simulator.Config) simulator.Result) {
					for s := uint64(shard); s < uint64(*seeds) && len(failed) == 0; s += shards {
						r := run(simulator.Config{Seed: s})
						if len(r.Violations) > 0 {
							failed[s] = r
						}
						all.add(r)
					}
				})
				for s, r := range failed {
					fail(t, simulator.Config{Seed: s}, r)
				}
			})
		}
	})
	t.Logf("%d seeds, %d steps, %d reads judged, %d of them hits, %d near at level leased, %d near whose proof had lapsed; faults: %v",
		*seeds, all.steps, all.reads, all.hits, all.leased, all.lapsed, all.faults)
	if all.hits < uint64(*seeds) || all.leased == 0 || all.lapsed == 0 || len(all.faults) < 12 {
		t.Error("the mix is not what it should be")
	}
}

// tally sums up what was simulated.
type tally struct {
	mu           sync.Mutex
	steps, reads int
	hits         uint64
	leased       uint64 // hits near at level leased
	lapsed       uint64 // what was near and not proved
	faults       map[string]int
}

func (a *tally) add(r simulator.Result) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.steps, a.reads, a.hits = a.steps+r.Steps, a.reads+r.Reads, a.hits+r.Hits
	a.leased, a.lapsed = a.leased+r.LeasedNear, a.lapsed+r.Lapsed
	for _, f := range r.Faults {
		_, what, _ := strings.Cut(f, ": ")
		what, _, _ = strings.Cut(what, " p")
		a.faults[what]++
	}
}

// fail reports a failing seed, and the same with as few faults and calls as still fail.
func fail(t *testing.T, c simulator.Config, r simulator.Result) {
	t.Helper()
	small := shrink(t, c, r)
	small.Trace = true
	t.Errorf("seed %d, faults within the class %q: %v", c.Seed, r.Class, r.Violations)
	r = simulate(t, small)
	t.Logf("%d calls and %d faults are enough: %v\n%s", len(r.Calls), len(r.Faults), r.Violations, r.Schedule)
}

// shrink leaves out what is not needed, by halves and then one by one.
func shrink(t *testing.T, c simulator.Config, r simulator.Result) simulator.Config {
	candidates := append(r.Calls, r.Faults...)
	c.Without = map[string]bool{}
	for size := len(candidates); size > 0; size /= 2 {
		for from := 0; from < len(candidates); {
			part := candidates[from:min(from+size, len(candidates))]
			for _, name := range part {
				c.Without[name] = true
			}
			if len(simulate(t, c).Violations) > 0 {
				candidates = append(candidates[:from:from], candidates[from+len(part):]...)
				continue
			}
			for _, name := range part {
				delete(c.Without, name)
			}
			from += len(part)
		}
	}
	return c
}

// One seed is one schedule, to the last line.
func TestSimulatorIsDeterministic(t *testing.T) {
	for s := range uint64(200) {
		c := simulator.Config{Seed: s, Trace: true}
		one, two := simulate(t, c), simulate(t, c)
		if one.Schedule != two.Schedule {
			t.Fatalf("seed %d: %s", s, difference(one.Schedule, two.Schedule))
		}
	}
}

func difference(a, b string) string {
	as, bs := strings.Split(a, "\n"), strings.Split(b, "\n")
	for i := range min(len(as), len(bs)) {
		if as[i] != bs[i] {
			return fmt.Sprintf("\n%s\n%s", as[i], bs[i])
		}
	}
	return "one is longer"
}

// The judge must be able to find out: each broken world within the first thousand seeds.
func TestSimulatorFindsWhatIsBroken(t *testing.T) {
	for _, b := range simulator.All {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			inBubble(t, func(run func(simulator.Config) simulator.Result) {
				for s := range uint64(1000) {
					if r := run(simulator.Config{Seed: s, Broken: b}); len(r.Violations) > 0 {
						t.Logf("seed %d, %v: %s", s, r.Class, r.Violations[0])
						return
					}
				}
				t.Error("not found")
			})
		})
	}
}
