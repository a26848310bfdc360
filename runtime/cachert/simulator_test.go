package cachert_test

import (
	"flag"
	"testing"
	"testing/synctest"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/internal/simulator"
)

var (
	seed  = flag.Int64("seed", -1, "simulate this seed alone; its schedule is logged")
	seeds = flag.Int("seeds", 10_000, "how many seeds to simulate")
)

func simulate(t *testing.T, c simulator.Config) (r simulator.Result) {
	c.Open = cachert.OpenWith
	synctest.Test(t, func(*testing.T) { r = simulator.Run(c) })
	return r
}

// A failure prints its schedule. To see that of any seed:
//
//	go test ./runtime/cachert -run '^TestSimulator$' -seed N -v
func TestSimulator(t *testing.T) {
	if *seed >= 0 {
		r := simulate(t, simulator.Config{Seed: uint64(*seed), Trace: true})
		t.Log("\n" + r.Schedule)
		for _, v := range r.Violations {
			t.Error(v)
		}
		return
	}
	for s := range *seeds {
		r := simulate(t, simulator.Config{Seed: uint64(s)})
		if len(r.Violations) > 0 {
			t.Errorf("seed %d, %v: %v", s, r.Class, r.Violations)
		}
	}
}

// The judge must be able to find out: each broken world within the first thousand seeds.
func TestSimulatorFindsWhatIsBroken(t *testing.T) {
	for _, b := range simulator.All {
		t.Run(string(b), func(t *testing.T) {
			t.Parallel()
			for s := range uint64(1000) {
				if r := simulate(t, simulator.Config{Seed: s, Broken: b}); len(r.Violations) > 0 {
					t.Logf("seed %d, %v: %s", s, r.Class, r.Violations[0])
					return
				}
			}
			t.Error("not found")
		})
	}
}
