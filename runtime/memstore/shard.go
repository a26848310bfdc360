package memstore

import (
	"bytes"
	"fmt"
	"sync"
	"time"

	"github.com/cachegen/cachegen/runtime/internal/sieve"
	"github.com/cachegen/cachegen/runtime/store"
)

// overhead estimates what an entry takes besides its key and value.
const overhead = 128

// errClosed is what every operation returns after Close.
var errClosed = fmt.Errorf("%w: memstore: closed", store.ErrDown)

// shard holds the entries and cells whose keys fall to it.
type shard struct {
	mu       sync.Mutex // guards everything below, and the contents of the cells
	closed   bool
	entries  *sieve.Map[string, entry]
	cells    *sieve.Map[string, *cell]
	maxBytes int64
}

type entry struct {
	value   []byte
	expires time.Time
}

func newShard(maxEntries int, maxBytes int64, maxCells int) *shard {
	return &shard{
		entries: sieve.New(sieve.Options[string, entry]{MaxEntries: maxEntries, MaxBytes: maxBytes}),
		cells: sieve.New(sieve.Options[string, *cell]{
			MaxEntries: maxCells,
			Pinned: func(c *cell) bool {
				c.settle(time.Now())
				return len(c.markers) > 0
			},
			Evicted: func(_ string, c *cell) { c.unset() },
		}),
		maxBytes: maxBytes,
	}
}

func (s *shard) open() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	return nil
}

// entry returns the value under key, nil when there is none.
func (s *shard) entry(key string, now time.Time) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, errClosed
	}
	e, ok := s.entries.Get(key)
	if !ok {
		return nil, nil
	}
	if !now.Before(e.expires) {
		s.entries.Delete(key)
		return nil, nil
	}
	return e.value, nil
}

// put stores a copy of value. One that is too large leaves nothing under its key, and does
// not push out everything else first.
func (s *shard) put(key string, value []byte, now time.Time, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	cost := int64(len(key)+len(value)) + overhead
	if cost > s.maxBytes || ttl <= 0 {
		s.entries.Delete(key)
		return nil
	}
	if value = bytes.Clone(value); value == nil {
		value = []byte{} // an entry without bytes is still an entry
	}
	s.entries.Set(key, entry{value: value, expires: now.Add(ttl)}, cost)
	return nil
}

// update runs f on the settled cell of key, made if need be. f must leave a generation or a
// marker in it: the table holds no absent cells.
func (s *shard) update(key string, now time.Time, f func(*cell)) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	c, ok := s.cells.Get(key)
	if ok {
		c.settle(now)
		f(c)
		return nil
	}
	c = new(cell)
	f(c)
	s.cells.Set(key, c, 0) // f first: if this very cell is evicted, so is its promise
	return nil
}

// renew extends the life of a generation of which less than half is left.
func (s *shard) renew(key string, now time.Time, ttl time.Duration) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return errClosed
	}
	c, ok := s.cells.Get(key)
	if !ok {
		return nil
	}
	c.settle(now)
	if c.generation != "" && c.expires.Sub(now) < ttl/2 {
		c.expires = now.Add(ttl)
	}
	return nil
}

func (s *shard) size() (entries, cells int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.entries.Len(), s.cells.Len()
}

func (s *shard) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.cells.All(func(_ string, c *cell) { c.unset() })
	s.entries.Clear()
	s.cells.Clear()
}
