// Package storetest is the conformance suite that every store.Store passes: each clause of
// the port's contract, alone, and then random schedules, one after another and concurrent,
// judged by a model of the cell that shares no code with any store.
//
// A store's own tests call Run with a function that makes a Fixture; what the suite then
// says of the store is all that package cachert relies on. Package consistency, beside this
// one, runs cachert itself over a store.
package storetest
