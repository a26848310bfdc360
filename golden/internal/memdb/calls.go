package memdb

import "sync"

// Calls counts the calls that reach a source; sources embed it. The zero value has counted
// none, and it is safe for concurrent use.
type Calls struct {
	mu    sync.Mutex
	count map[string]int // guarded by mu
	total int            // guarded by mu
}

// Called counts one call of a method.
func (c *Calls) Called(method string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.count == nil {
		c.count = map[string]int{}
	}
	c.count[method]++
	c.total++
}

// CallsOf is the number of calls of a method so far.
func (c *Calls) CallsOf(method string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.count[method]
}

// CallsTotal is the number of calls so far.
func (c *Calls) CallsTotal() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.total
}
