package storetest

import (
	"testing"

	"github.com/cachegen/cachegen/runtime/store"
)

// Fixture is one state, on one server or in one process, and the ways into it.
type Fixture struct {
	// Store and Other are two independent clients of the state, as two processes would
	// have. A store that lives inside the process hands in the same one twice. The suite
	// closes neither; Open makes what it closes.
	Store, Other store.Store
	// Open makes one more client of the same state; the suite may close it. A store whose
	// state lives and dies with it returns a new, empty one.
	Open func(t *testing.T) store.Store
	// Evict removes a cell or an entry behind the back of all clients, as the server would
	// under memory pressure.
	Evict func(t *testing.T, key string)
	// Flush removes everything, as an operator might.
	Flush func(t *testing.T)
	// Hang makes the server accept and not answer until resume is called. Nil: it cannot
	// hang.
	Hang func(t *testing.T) (resume func())
}

// Run runs the suite. Each subtest calls fixture once and cleans up through its t; keys never
// repeat, so that fixtures may share a server.
func Run(t *testing.T, fixture func(t *testing.T) Fixture) {
	for _, group := range []struct {
		name  string
		cases []testcase
	}{
		{"Read", readCases},
		{"Write", writeCases},
		{"Expiry", expiryCases},
		{"Loss", lossCases},
		{"Bump", bumpCases},
		{"Live", liveCases},
		{"Proof", proofCases},
		{"Down", downCases},
		{"Model", modelCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				t.Run(c.name, func(t *testing.T) { c.run(newSuite(t, fixture(t))) })
			}
		})
	}
}

// testcase is one clause of the contract.
type testcase struct {
	name string
	run  func(s *suite)
}
