// Package consistency runs package cachert over a store and checks what its levels promise,
// with a source in memory whose rows carry a version. A read that returns an older version
// than its level allows fails the test: the schedules here are the ones in which caches go
// wrong.
//
// The two clients of a store stand for two processes: each has a Cache, and so a near cache,
// of its own.
package consistency

import (
	"testing"

	"github.com/cachegen/cachegen/runtime/store"
)

// Config says over what to run, and for how long.
type Config struct {
	// Stores makes two clients of one state that is fresh, or whose other users keep to
	// namespaces of their own. The suite closes both. A store that lives inside the process
	// may be returned twice.
	Stores func(t *testing.T) (one, two store.Store)
	// Hold, if not nil, keeps back what the store says to the first client, pushes and replies,
	// until release is called; asked is closed when that client asks for a key meanwhile. Nil
	// is for stores inside the process, which have nothing to hold back.
	Hold func() (asked <-chan struct{}, release func())
	// Pairs is the number of writes, each followed by reads, of the read-your-writes test. 0
	// means 10,000.
	Pairs int
	// Rounds is how often each schedule is run. 0 means 1,000.
	Rounds int
	// Steps is the number of operations of each random run. 0 means 20,000.
	Steps int
}

// Run runs the suite.
func Run(t *testing.T, c Config) {
	if c.Pairs == 0 {
		c.Pairs = 10_000
	}
	if c.Rounds == 0 {
		c.Rounds = 1_000
	}
	if c.Steps == 0 {
		c.Steps = 20_000
	}
	t.Run("Monotonic", c.monotonic)
	t.Run("Sessions", c.sessions)
	t.Run("RandomSessions", c.randomSessions)
	beside := func(f func(*testing.T)) func(*testing.T) { // once nothing is held back any more
		return func(t *testing.T) {
			t.Parallel()
			f(t)
		}
	}
	t.Run("ReadYourWrites", beside(c.readYourWrites))
	t.Run("Schedules", beside(c.schedules))
	t.Run("Random", beside(c.random))
}
