// Package cachert is the runtime that generated wrappers and an application's main touch:
// it keeps cached reads and writes of a repository consistent over a store.Store.
//
// # What it guarantees
//
// Each entry remembers the generation of every tag it depends on, seen BEFORE its value was
// loaded. It is used only while each of these tags still holds that generation. A write
// destroys the generations before the database commits (levels session, strict, leased) or
// replaces them right after (bounded and eventual). So a load that a write overtook can
// never be taken for current:
//
//  1. reader snapshots generation g of book:42, misses, loads version 1
//  2. writer marks book:42 (g is destroyed), commits version 2, posts generation h
//  3. reader stores version 1 under g: nobody will ever find it valid
//
// Callers own what they get: every value returned is a copy that nobody else sees. A cache
// failure never fails a read, and fails a write only where the policy says so (OnErrorFail,
// levels strict and leased; OnErrorOutbox when the database does not take the row); each
// survived failure is counted in Stats. See Level for the promises, Voids for what makes them
// void, Cache.Ready for a store that is not fit for them, Session for those of one user who is
// served by several processes, and NeedsPrimary for loads from replicas of the database.
//
// # What it does not do
//
// Writes that go around the wrapper are not seen: use Cache.Invalidate for them. There are
// no atomic views across entries, and a result that changes with time alone is kept until
// its TTL. A transaction that spans several methods is one write of the cache when it is
// a Unit of work: see Cache.Begin, Cache.Transact and package sqltx. The commit of any other is
// not seen: see Change.Uncommitted.
package cachert

// API1 names the interface between this package and generated code. Generated files refer
// to it, so that a runtime too old or too new for them fails to compile at a line that
// tells the cure.
const API1 = 1
