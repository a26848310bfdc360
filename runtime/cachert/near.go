package cachert

import (
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/cachegen/cachegen/runtime/internal/sieve"
	"github.com/cachegen/cachegen/runtime/store"
)

// nearCache keeps decoded values in the process. An entry may be served while every promise
// it holds is alive: then no generation it depends on has changed since before its load, as
// far as this process has been told. A dead entry is kept until it is replaced or evicted,
// because its tags predict those of the next result.
//
// The process may have been told less than it has read, because a load may return what was
// committed while the push is still on its way:
//
//  1. a slow load takes its snapshot; a write ends it; another read keeps version 1 near
//  2. another process marks, and commits version 2; its push is on its way
//  3. the slow load returns version 2 to its caller
//  4. a read starts, finds version 1 near with all its promises alive, and goes back in time
//
// So every read that is not answered near, unless it goes past the cache on purpose, begins here
// before it asks the store, and completes here before it returns. It may keep its result only if
// no other one of its object has completed in between: what the store confirms after begin is not older than what had been
// handed out by then. If another one has, nobody knows which result is newer, and nothing
// stays near. spec/session.pml shows that this is enough, and that no part of it can go.
type nearCache struct {
	seed   maphash.Seed
	shards [nearShards]nearShard
	ttl    time.Duration
}

const (
	nearShards = 32
	nearTurns  = 128 // per shard
)

type nearShard struct {
	mu      sync.RWMutex
	entries *sieve.Map[string, *nearEntry]
	turns   [nearTurns]turn // guarded by mu
}

// turn counts the reads that have completed, of all objects whose keys share it: a collision
// costs an entry near, and nothing has to be kept for each object.
type turn uint64

// nearEntry is immutable once stored; value is shared and must be cloned by who hands it on.
type nearEntry struct {
	value    any
	kind     kind
	sentinel int
	lives    []*store.Live  // empty: not servable, only rows count
	proofs   []*store.Proof // of lives
	expires  time.Time
	rows     []string // cells of the tags known from the result
	proof
}

func newNearCache(entries int, bytes int64, ttl time.Duration) *nearCache {
	n := &nearCache{seed: maphash.MakeSeed(), ttl: ttl}
	for i := range n.shards {
		n.shards[i].entries = sieve.New(sieve.Options[string, *nearEntry]{
			MaxEntries: (entries + nearShards - 1) / nearShards,
			MaxBytes:   (bytes + nearShards - 1) / nearShards,
		})
	}
	return n
}

func (n *nearCache) shard(key string) *nearShard {
	sh, _ := n.place(key)
	return sh
}

func (n *nearCache) place(key string) (*nearShard, *turn) {
	h := maphash.String(n.seed, key)
	sh := &n.shards[h%nearShards]
	return sh, &sh.turns[h/nearShards%nearTurns]
}

// get returns the entry under key, servable or not, or nil.
func (n *nearCache) get(key string) *nearEntry {
	if n == nil {
		return nil
	}
	sh := n.shard(key)
	sh.mu.RLock()
	e, _ := sh.entries.Get(key)
	sh.mu.RUnlock()
	return e
}

// begin is get for a read that goes on to the store, and the turn that complete wants.
func (n *nearCache) begin(key string) (*nearEntry, turn) {
	if n == nil {
		return nil, 0
	}
	sh, turns := n.place(key)
	sh.mu.RLock()
	defer sh.mu.RUnlock()
	e, _ := sh.entries.Get(key)
	return e, *turns
}

// found says how a read that completes has come by its result.
type found uint8

const (
	loaded    found = iota // from the source: perhaps ahead of what the process has been told
	stored                 // from the store, under the generations whose promises it offers
	confirmed              // from the store, without promises: they were not asked for
)

// complete ends what begin has begun; the result is handed out afterwards. It offers e, which
// may be nil: nothing to keep.
func (n *nearCache) complete(key string, began turn, how found, e *nearEntry, size int) {
	if n == nil {
		return
	}
	sh, turns := n.place(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	alone := *turns == began
	*turns++
	old, _ := sh.entries.Get(key)
	switch {
	case alone && how == confirmed && old.alive():
		return // every cell that old depends on was read: the pushes for them have come
	case alone && e != nil && len(e.lives) > 0:
	case how == stored && old != nil && e != nil && len(old.lives) > 0 && slices.Equal(old.lives, e.lives):
		return // the same period: old is not older than what the store held in it
	default:
		e, size = prediction(e, old), 0
	}
	if e == nil {
		if old != nil {
			sh.entries.Delete(key)
		}
		return
	}
	cost := int64(size + len(key) + 160 + 24*len(e.lives) + 64*len(e.deps))
	for _, r := range e.rows {
		cost += int64(len(r) + 16)
	}
	sh.entries.Set(key, e, cost)
}

// prediction is what remains of an entry that may not be served: the tags of its rows.
func prediction(e, old *nearEntry) *nearEntry {
	if e == nil {
		e = old
	}
	if e == nil || len(e.rows) == 0 {
		return nil
	}
	return &nearEntry{rows: e.rows}
}

// servable reports whether e may answer a read now.
func (e *nearEntry) servable(now time.Time) bool {
	return e.alive() && now.Before(e.expires)
}

// alive reports whether every promise of e holds, and there are any.
func (e *nearEntry) alive() bool {
	if e == nil || len(e.lives) == 0 {
		return false
	}
	for _, l := range e.lives {
		if !l.Alive() {
			return false
		}
	}
	return true
}
