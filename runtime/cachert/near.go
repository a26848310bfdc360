package cachert

import (
	"hash/maphash"
	"sync"
	"time"

	"github.com/cachegen/cachegen/runtime/internal/sieve"
	"github.com/cachegen/cachegen/runtime/store"
)

// nearCache keeps decoded values in the process. An entry may be served while every promise
// it holds is alive: then no generation it depends on has changed since before its load, as
// far as this process has been told. A dead entry is kept until it is replaced or evicted,
// because its tags predict those of the next result.
type nearCache struct {
	seed   maphash.Seed
	shards [nearShards]nearShard
	ttl    time.Duration
}

const nearShards = 32

type nearShard struct {
	mu      sync.RWMutex
	entries *sieve.Map[string, *nearEntry]
}

// nearEntry is immutable once stored; value is shared and must be cloned by who hands it on.
type nearEntry struct {
	value    any
	kind     kind
	sentinel int
	lives    []*store.Live // empty: not servable, only rows count
	expires  time.Time
	rows     []string // cells of the tags known from the result
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
	return &n.shards[maphash.String(n.seed, key)%nearShards]
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

func (n *nearCache) set(key string, e *nearEntry, size int) {
	if len(e.lives) == 0 && len(e.rows) == 0 {
		return
	}
	cost := int64(size + len(key) + 160 + 24*len(e.lives))
	for _, r := range e.rows {
		cost += int64(len(r) + 16)
	}
	sh := n.shard(key)
	sh.mu.Lock()
	sh.entries.Set(key, e, cost)
	sh.mu.Unlock()
}

// servable reports whether e may answer a read now.
func (e *nearEntry) servable(now time.Time) bool {
	if e == nil || len(e.lives) == 0 || !now.Before(e.expires) {
		return false
	}
	for _, l := range e.lives {
		if !l.Alive() {
			return false
		}
	}
	return true
}
