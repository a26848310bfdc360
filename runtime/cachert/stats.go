package cachert

import (
	"sync/atomic"
	"time"
)

// Stats is a snapshot of what a Cache has counted since it was opened.
type Stats struct {
	// Methods are in the order in which the methods were registered.
	Methods []MethodStats
	// Open reports whether the store is trusted at the moment.
	Open bool
	// Journal is the number of invalidations not delivered yet.
	Journal int
	// Outages counts how often the store was lost.
	Outages uint64
	// MarkersLost counts markers that were gone when the end of their write was delivered late,
	// beside those that MethodStats count.
	MarkersLost uint64
	// LoadsWaited counts the loads that had to wait for their turn: see Options.MaxLoads.
	LoadsWaited uint64
	// Voids counts what may have made a promise void.
	Voids Voids
	// TokensIgnored counts session tokens that were malformed or of another version.
	TokensIgnored uint64
}

// MethodStats counts one method's calls. Every read is exactly one of NearHits, StoreHits,
// Misses and Bypasses, but for those that ended before (their context did).
type MethodStats struct {
	Repo, Method string

	NearHits     uint64 // answered without a round trip
	NearLapsed   uint64 // of the others, those that found a near value which was good, as far as is known, but not proved within Staleness
	StoreHits    uint64 // answered by the store
	NegativeHits uint64 // hits of either kind that said "not there"
	Misses       uint64 // answered by the source: nothing valid was stored, a write was in progress, or the store was down
	Bypasses     uint64 // answered by the source on purpose: Bypass, bypass=, inside a transaction, no tenant, a key that cannot be encoded
	Doubted      uint64 // values kept near that were not believed because of what a Session has noted: the store was asked
	Untrusted    uint64 // entries of the store that were not believed because a Session's write may not have been told: the source was asked
	Joined       uint64 // misses that shared another call's load
	Loads        uint64 // calls of the source for misses
	LoadErrors   uint64 // of these, ended with an error that is not "not there"
	LoadTime     time.Duration
	ReplicaLoads uint64 // loads that asked NeedsPrimary and were told that a replica will do
	Unasked      uint64 // loads that needed the primary and did not ask NeedsPrimary: not stored
	Fills        uint64 // entries stored after a load
	FillsSkipped uint64 // loads whose result could not be stored (a write in progress, tags that kept changing, more than 256 tags from the result, too many fills at once, a wrapped sentinel)

	Writes        uint64
	Invalidations uint64 // tags changed by writes
	WriteThroughs uint64 // entries stored by writes and valid
	MarkersLost   uint64 // posts that found their marker gone: a broken assumption, see docs/guarantees.md
	Unknown       uint64 // writes whose outcome is unknown, or whose commit is not seen; their markers stay until the lease ends
	Refused       uint64 // writes refused because the store could not be told

	Oversized uint64 // values larger than MaxSize, which were not stored
	Foreign   uint64 // entries and cells that this program does not write: damaged, of another version or type, larger than MaxSize; they are as good as not there

	StoreErrors uint64 // store operations that failed and were survived
	CodecErrors uint64 // entries or keys that could not be encoded or decoded
}

// Hits is the number of reads answered without the source.
func (m MethodStats) Hits() uint64 { return m.NearHits + m.StoreHits }

// counters are the live form of MethodStats.
type counters struct {
	repo, method                                                string
	observer                                                    Observer
	nearHits, storeHits, negativeHits, misses, bypasses, joined atomic.Uint64
	nearLapsed                                                  atomic.Uint64
	loads, loadErrors, loadNanos, fills, fillsSkipped           atomic.Uint64
	writes, invalidations, writeThroughs, markersLost, unknown  atomic.Uint64
	refused, storeErrors, codecErrors, oversized, foreign       atomic.Uint64
	doubted, untrusted, replicaLoads, unasked                   atomic.Uint64
}

func (c *counters) snapshot() MethodStats {
	return MethodStats{
		Repo: c.repo, Method: c.method,
		NearHits: c.nearHits.Load(), NearLapsed: c.nearLapsed.Load(), StoreHits: c.storeHits.Load(), NegativeHits: c.negativeHits.Load(),
		Misses: c.misses.Load(), Bypasses: c.bypasses.Load(), Joined: c.joined.Load(),
		Loads: c.loads.Load(), LoadErrors: c.loadErrors.Load(), LoadTime: time.Duration(c.loadNanos.Load()),
		Fills: c.fills.Load(), FillsSkipped: c.fillsSkipped.Load(),
		Writes: c.writes.Load(), Invalidations: c.invalidations.Load(), WriteThroughs: c.writeThroughs.Load(),
		MarkersLost: c.markersLost.Load(), Unknown: c.unknown.Load(), Refused: c.refused.Load(),
		ReplicaLoads: c.replicaLoads.Load(), Unasked: c.unasked.Load(),
		Doubted: c.doubted.Load(), Untrusted: c.untrusted.Load(),
		StoreErrors: c.storeErrors.Load(), CodecErrors: c.codecErrors.Load(),
		Oversized: c.oversized.Load(), Foreign: c.foreign.Load(),
	}
}

// EventKind names what an Observer is told of.
type EventKind uint8

// The events.
const (
	EventNearHit EventKind = iota + 1
	EventStoreHit
	EventMiss
	EventBypass
	EventLoad       // Duration and Err are set
	EventWrite      // Duration and Err are set
	EventStoreError // Err is set; the failure was survived
	EventMarkerLost
	EventNearLapsed   // a near value was not proved within Staleness; the read goes on
	EventRefused      // a write; Err is set
	EventUntold       // Err is set; see Voids, as for those that follow
	EventUndelivered  // Err is set
	EventUnknown      // a write whose outcome is not known
	EventOverdue      // Err is what the write returned
	EventServerChange // Repo and Method are empty
)

// Event is one thing that happened.
type Event struct {
	Kind         EventKind
	Repo, Method string
	Duration     time.Duration
	Err          error
}

// Observer is told of events as they happen, for metrics and traces. Observe is called on
// the caller's path and from many goroutines: it must be fast and must not block.
type Observer interface{ Observe(Event) }

func (c *counters) observe(k EventKind, d time.Duration, err error) {
	if c.observer != nil {
		c.observer.Observe(Event{k, c.repo, c.method, d, err})
	}
}

// hit counts a read answered by the cache.
func (c *counters) hit(k EventKind, what kind) {
	if k == EventNearHit {
		c.nearHits.Add(1)
	} else {
		c.storeHits.Add(1)
	}
	if what != kindValue {
		c.negativeHits.Add(1)
	}
	c.observe(k, 0, nil)
}

func (c *counters) storeError(err error) {
	c.storeErrors.Add(1)
	c.observe(EventStoreError, 0, err)
}
