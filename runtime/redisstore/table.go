package redisstore

import (
	"hash/maphash"
	"sync"

	"github.com/cachegen/cachegen/runtime/internal/sieve"
	"github.com/cachegen/cachegen/runtime/store"
)

// table holds the cells on which the session's connections feed promises. A promise ends
// when its cell leaves the table, whatever the reason.
type table struct {
	seed   maphash.Seed
	shards [16]tableShard
}

type tableShard struct {
	mu     sync.Mutex
	cells  *sieve.Map[string, tracked] // guarded by mu
	closed bool                        // guarded by mu
}

type tracked struct {
	generation store.Generation
	live       *store.Live
	owner      *feed
}

func newTable(bound int) *table {
	t := &table{seed: maphash.MakeSeed()}
	for i := range t.shards {
		t.shards[i].cells = sieve.New(sieve.Options[string, tracked]{
			MaxEntries: max(1, bound/len(t.shards)),
			Evicted:    func(_ string, c tracked) { c.live.End() },
		})
	}
	return t
}

func (t *table) shard(key string) *tableShard {
	return &t.shards[maphash.String(t.seed, key)%uint64(len(t.shards))]
}

// get returns a cell's generation together with the promise for that generation.
func (t *table) get(key string) (store.Cell, bool) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, ok := s.cells.Get(key)
	if !ok {
		return store.Cell{}, false
	}
	return store.Cell{Generation: c.generation, Live: c.live}, true
}

// owner is the feed that a cell came through, nil for a cell that is not known.
func (t *table) owner(key string) *feed {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	c, _ := s.cells.Get(key)
	return c.owner
}

// put notes what a tracked read saw. The same again keeps the promise.
func (t *table) put(key string, g store.Generation, owner *feed) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return
	}
	if c, ok := s.cells.Get(key); ok {
		if c.generation == g && c.owner == owner {
			return
		}
		s.drop(key)
	}
	s.cells.Set(key, tracked{generation: g, live: store.NewLive(owner.proof), owner: owner}, 0)
}

// correct drops a cell that holds another generation than g.
func (t *table) correct(key string, g store.Generation) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	if c, ok := s.cells.Get(key); ok && c.generation != g {
		s.drop(key)
	}
}

func (t *table) drop(key string) {
	s := t.shard(key)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(key)
}

func (s *tableShard) drop(key string) {
	if c, ok := s.cells.Delete(key); ok {
		c.live.End()
	}
}

// dropOwner drops all cells that came through one connection.
func (t *table) dropOwner(owner *feed) {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		var keys []string
		s.cells.All(func(key string, c tracked) {
			if c.owner == owner {
				keys = append(keys, key)
			}
		})
		for _, key := range keys {
			s.drop(key)
		}
		s.mu.Unlock()
	}
}

// close drops everything and keeps nothing from then on.
func (t *table) close() {
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		s.closed = true
		s.cells.All(func(_ string, c tracked) { c.live.End() })
		s.cells.Clear()
		s.mu.Unlock()
	}
}

func (t *table) len() int {
	n := 0
	for i := range t.shards {
		s := &t.shards[i]
		s.mu.Lock()
		n += s.cells.Len()
		s.mu.Unlock()
	}
	return n
}
