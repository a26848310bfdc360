package memstore

// Evict removes an entry and a cell as running out of room would, markers or not.
func (s *Store) Evict(key string) {
	sh := s.shard(key)
	sh.mu.Lock()
	defer sh.mu.Unlock()
	sh.entries.Delete(key)
	if c, ok := sh.cells.Delete(key); ok {
		c.unset()
	}
}

// Flush removes everything.
func (s *Store) Flush() {
	for _, sh := range s.shards {
		sh.close()
		sh.mu.Lock()
		sh.closed = false
		sh.mu.Unlock()
	}
}
