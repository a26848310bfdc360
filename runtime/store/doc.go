// Package store is the port between the consistency protocol (package cachert) and the
// place where entries and tag cells live. Packages memstore and redisstore implement it;
// package storetest holds the conformance suite that each implementation must pass.
//
// # Words
//
// An entry is a cached result under one key: opaque bytes to the store. A tag is a named
// dependency; each tag has one cell in the store. A cell is in one of three states:
//
//   - absent: never trusted as "unchanged"; the next reader makes a fresh generation,
//   - a generation: an opaque string that never repeats,
//   - a list of markers: writes in progress. While one stands there is no generation.
//
// An entry is valid when each cell it names holds exactly the generation the entry
// remembers. The store does not judge validity; cachert does.
//
// # Atomicity
//
// Each operation on ONE cell is atomic with respect to all others on that cell. Nothing is
// atomic across cells or between a cell and an entry, and the protocol needs nothing more:
// an entry written together with fresh generations is simply invalid wherever one of those
// generations was refused.
package store
