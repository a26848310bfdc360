// Package simulator runs the real protocol core, several caches over one store and one
// database, as a step machine over simulated ports, and judges what it promises. A schedule is
// a function of its seed alone.
//
// It stands in a package of its own, and not in the tests of cachert, so that what belongs to
// the simulated world and what belongs to the protocol cannot see each other's insides; the
// tests that run it are in cachert, whose randomness they set.
//
// # Why one seed is one schedule
//
// Run is called inside a testing/synctest bubble. Every call of a port waits in virtual time,
// and no two waits end at the same moment: so one goroutine is awake at a time, or several of
// which none can tell who ran first. What a call waits, and what goes wrong with it, is drawn
// from a hash of the seed and the identity of the step (which process, which of its callers,
// what, on which key, and how often before), never from a stream of numbers that those who
// are awake together would share. Leaving out one fault therefore leaves the others as they are.
//
// # What is judged
//
// Reads are held against the history of the database: strict and leased ones against all that was
// committed before they began, session reads against what their process has written and read,
// those with the token of a session against what that has, eventual ones against the TTL, and all
// others against what was told or announced longer ago than the bound, whatever the connections
// do; and when all is quiet every read has to return what the database holds. Each class of faults is judged by what
// docs/guarantees.md promises under it: see Class.
package simulator
