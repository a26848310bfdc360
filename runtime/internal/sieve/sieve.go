// Package sieve is a bounded map that evicts by SIEVE (Zhang et al., "SIEVE is Simpler than
// LRU", NSDI 2024): one queue in order of insertion, a visited bit per entry, and a hand
// that walks from old to new and evicts the first entry not visited since it last passed.
package sieve

import "sync/atomic"

// Options bound a Map.
type Options[K comparable, V any] struct {
	MaxEntries int   // 0: no bound
	MaxBytes   int64 // 0: no bound
	// Pinned entries are passed over by the hand; nil: none is pinned.
	Pinned func(V) bool
	// Evicted is told of each entry that leaves against its owner's will; nil: nobody is.
	Evicted func(K, V)
}

// Map is a bounded map. Get may run concurrently with Get; everything else needs exclusive
// access, which the owner's lock gives.
type Map[K comparable, V any] struct {
	opt        Options[K, V]
	entries    map[K]*node[K, V]
	head, tail *node[K, V] // head is the newest
	hand       *node[K, V]
	bytes      int64
}

type node[K comparable, V any] struct {
	key          K
	value        V
	cost         int64
	visited      atomic.Bool
	newer, older *node[K, V]
}

// New makes an empty map.
func New[K comparable, V any](opt Options[K, V]) *Map[K, V] {
	return &Map[K, V]{opt: opt, entries: map[K]*node[K, V]{}}
}

// Len is the number of entries.
func (m *Map[K, V]) Len() int { return len(m.entries) }

// Bytes is the sum of the entries' costs.
func (m *Map[K, V]) Bytes() int64 { return m.bytes }

// Get returns the value under key and remembers that it was wanted.
func (m *Map[K, V]) Get(key K) (V, bool) {
	n, ok := m.entries[key]
	if !ok {
		var zero V
		return zero, false
	}
	if !n.visited.Load() { // a store on every hit would bounce the cache line between cores
		n.visited.Store(true)
	}
	return n.value, true
}

// Set stores value under key at a cost in bytes. Others make room first; if that is not
// enough, because the rest is pinned or the entry is larger than the map, the entry goes too
// unless it is pinned.
func (m *Map[K, V]) Set(key K, value V, cost int64) {
	if n, ok := m.entries[key]; ok {
		m.bytes += cost - n.cost
		n.value, n.cost = value, cost
		n.visited.Store(true)
		for m.over(0, 0) && m.evict() {
		}
		return
	}
	for m.over(1, cost) && m.evict() {
	}
	n := &node[K, V]{key: key, value: value, cost: cost}
	m.entries[key] = n
	m.bytes += cost
	m.push(n)
	for m.over(0, 0) && m.evict() {
	}
}

// Delete removes key and returns what stood there.
func (m *Map[K, V]) Delete(key K) (V, bool) {
	n, ok := m.entries[key]
	if !ok {
		var zero V
		return zero, false
	}
	m.remove(n)
	return n.value, true
}

// Clear removes every entry without telling Evicted.
func (m *Map[K, V]) Clear() {
	clear(m.entries)
	m.head, m.tail, m.hand, m.bytes = nil, nil, nil, 0
}

// All calls f for each entry in no particular order; f must not change the map.
func (m *Map[K, V]) All(f func(K, V)) {
	for k, n := range m.entries {
		f(k, n.value)
	}
}

// over reports whether the map would be too large with so many entries and bytes more.
func (m *Map[K, V]) over(entries int, bytes int64) bool {
	return m.opt.MaxEntries > 0 && len(m.entries)+entries > m.opt.MaxEntries ||
		m.opt.MaxBytes > 0 && m.bytes+bytes > m.opt.MaxBytes
}

// evict moves the hand to the next victim and removes it. It gives up, and says false, when
// two rounds found nothing but pinned entries.
func (m *Map[K, V]) evict() bool {
	for range 2*len(m.entries) + 1 {
		n := m.hand
		if n == nil {
			n = m.tail
		}
		if n == nil {
			return false
		}
		m.hand = n.newer
		if n.visited.Swap(false) || m.opt.Pinned != nil && m.opt.Pinned(n.value) {
			continue
		}
		m.remove(n)
		if m.opt.Evicted != nil {
			m.opt.Evicted(n.key, n.value)
		}
		return true
	}
	return false
}

func (m *Map[K, V]) push(n *node[K, V]) {
	n.older = m.head
	if m.head != nil {
		m.head.newer = n
	}
	m.head = n
	if m.tail == nil {
		m.tail = n
	}
}

func (m *Map[K, V]) remove(n *node[K, V]) {
	delete(m.entries, n.key)
	m.bytes -= n.cost
	if m.hand == n {
		m.hand = n.newer
	}
	if n.newer != nil {
		n.newer.older = n.older
	} else {
		m.head = n.older
	}
	if n.older != nil {
		n.older.newer = n.newer
	} else {
		m.tail = n.newer
	}
}
