// Package layer puts caches in front of the items: ours at each level, broken ones and those of
// others. All are driven by the same calls.
package layer

import (
	"context"
	"database/sql"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/consistency/items"
	"github.com/cachegen/cachegen/consistency/source"
	"github.com/cachegen/cachegen/runtime/cachecheck"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/sqltx"
	"github.com/cachegen/cachegen/runtime/store"
)

// Layer is a cache in front of items.
type Layer interface {
	items.Items
	// Atomically runs body in a transaction; calls with the context that it gets belong to it.
	Atomically(ctx context.Context, opts *sql.TxOptions, body func(ctx context.Context) error) error
	// Owes reports whether an invalidation has not been delivered yet.
	Owes() bool
	// Rest returns when everything owed to the cache's store has been delivered.
	Rest(ctx context.Context) error
	Stats() map[string]uint64
}

// Settings are what opens a Layer.
type Settings struct {
	Source *source.Source
	// Redis is the address of the server, or of what stands before it.
	Redis     string
	Namespace string
	Level     cachecheck.Level
	// Step is called between any two steps of the protocol.
	Step Step
	// Owing is called when others cannot be told of a write that goes on, or has happened: in
	// the write's call, and before its commit if that is known by then.
	Owing func()
	// Lost is called when a write finds its marker gone, right after the step that says so.
	Lost func()

	firm bool
}

// Lease is longer than source.Limits and the deadline of a call let the database commit.
const Lease = 5 * time.Second

// ours is the layer under test.
type ours struct {
	items.Items
	cache *cachert.Cache
	db    *sql.DB
}

// Ours opens the generated wrappers at a level.
func Ours(s Settings) (Layer, error) {
	return open(s, untouched)
}

// firm is ours at level session with onerror=fail.
func firm(s Settings) (Layer, error) {
	if s.Level != cachecheck.Session {
		return nil, fmt.Errorf("layer: no repository with onerror=fail at level %v", s.Level)
	}
	s.firm = true
	return open(s, untouched)
}

func untouched(inner store.Store) store.Store { return inner }

// open is Ours over a store that has been tampered with.
func open(s Settings, tamper func(store.Store) store.Store) (Layer, error) {
	redis, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{s.Redis}}, redisstore.Options{})
	if err != nil {
		return nil, err
	}
	cache, err := cachert.Open(cachert.Options{
		Namespace: s.Namespace, Store: stepped{tamper(redis), s.Step}, Lease: Lease,
		Logger: slog.New(slog.DiscardHandler), Observer: observer{s.Owing, s.Lost},
	})
	if err != nil {
		return nil, err
	}
	wrap, ok := map[cachecheck.Level]func() items.Items{
		cachecheck.Eventual: func() items.Items { return items.NewCachedEventualItems(s.Source, cache) },
		cachecheck.Bounded:  func() items.Items { return items.NewCachedBoundedItems(s.Source, cache) },
		cachecheck.Session:  func() items.Items { return items.NewCachedSessionItems(s.Source, cache) },
		cachecheck.Strict:   func() items.Items { return items.NewCachedStrictItems(s.Source, cache) },
		cachecheck.Leased:   func() items.Items { return items.NewCachedLeasedItems(s.Source, cache) },
	}[s.Level]
	if !ok {
		return nil, fmt.Errorf("layer: no repository at level %v", s.Level)
	}
	if s.firm {
		wrap = func() items.Items { return items.NewCachedFirmItems(s.Source, cache) }
	}
	return &ours{Items: wrap(), cache: cache, db: s.Source.DB()}, nil
}

// Atomically implements Layer.
func (o *ours) Atomically(ctx context.Context, opts *sql.TxOptions, body func(context.Context) error) error {
	return sqltx.Run(ctx, o.cache, o.db, &sqltx.Options{TxOptions: *opts}, func(ctx context.Context, _ *sql.Tx) error { return body(ctx) })
}

// Rest implements Layer.
func (o *ours) Rest(ctx context.Context) error { return o.cache.Drain(ctx) }

// Owes implements Layer. While an invalidation is on its way the journal may be empty; the store
// is not trusted again before it has arrived.
func (o *ours) Owes() bool {
	s := o.cache.Stats()
	return s.Journal > 0 || !s.Open
}

// observer passes on what a run wants to know when it happens.
type observer struct{ owing, lost func() }

// Observe implements cachert.Observer.
func (o observer) Observe(e cachert.Event) {
	switch e.Kind {
	case cachert.EventUntold, cachert.EventUndelivered:
		o.owing()
	case cachert.EventMarkerLost:
		o.lost()
	}
}

// Voids names what a layer counts of cachert.Voids, in the order of the table.
var Voids = []string{"markers lost", "untold", "undelivered", "unknown", "overdue", "server changes"}

// NearHits is what a layer counts of answers without a round trip.
const NearHits = "near hits"

// Stats implements Layer.
func (o *ours) Stats() map[string]uint64 {
	s := o.cache.Stats()
	sum := map[string]uint64{"outages": s.Outages, "markers lost late": s.MarkersLost}
	v := s.Voids
	for i, n := range []uint64{v.MarkersLost, v.Untold, v.Undelivered, v.Unknown, v.Overdue, v.ServerChanges} {
		sum[Voids[i]] = n
	}
	for _, m := range s.Methods {
		sum[NearHits] += m.NearHits
		sum["near lapsed"] += m.NearLapsed
		sum["store hits"] += m.StoreHits
		sum["misses"] += m.Misses
		sum["loads"] += m.Loads
		sum["write-throughs"] += m.WriteThroughs
		sum["refused"] += m.Refused
		sum["store errors"] += m.StoreErrors
		sum["codec errors"] += m.CodecErrors
	}
	return sum
}
