package redisstore

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

// feed keeps the table in step with one connection. rueidis calls Update, Delete and Close
// in the order of the replies and pushes of that connection, on its reader goroutine, so that
// a push never overtakes the reply it takes back. Nothing is ever answered from a feed:
// known cells are looked up in the table before rueidis is asked.
type feed struct {
	session *session
	proof   *store.Proof // of this connection
	// tested: the self-test has read through this connection.
	tested atomic.Bool

	mu      sync.Mutex
	asked   map[string]int // tracked reads under way; guarded by mu
	stopped bool           // guarded by mu
}

var _ rueidis.CacheStore = (*feed)(nil)

// Flight announces a tracked read. It always lets the read go out: concurrent ones are rare
// (cachert has its own single flight) and nobody inherits another's deadline. A connection
// that turns up after the self-test leads to a server that nobody has looked at: the session
// ends, and Probe takes over.
func (f *feed) Flight(key, _ string, _ time.Duration, _ time.Time) (rueidis.RedisMessage, rueidis.CacheEntry) {
	f.mu.Lock()
	f.asked[key]++
	f.mu.Unlock()
	if !f.session.ready.Load() {
		f.tested.Store(true)
	} else if !f.tested.Load() {
		f.session.end(errNewServer)
	}
	return rueidis.RedisMessage{}, nil
}

// Update takes the reply to a read. Only one announced to this very connection is kept: a
// read that a cluster redirected here with ASK is not tracked by the server, because the
// ASKING between uses up the CLIENT CACHING YES. A single server redirects nothing, and is
// asked past Flight (see track).
func (f *feed) Update(key, _ string, reply rueidis.RedisMessage) int64 {
	value, _ := reply.ToString()
	generation := generationOf(value)
	asked := f.answered(key) || !f.session.cluster && !f.closed()
	if !asked || generation == "" {
		f.session.table.correct(key, generation)
		return 0
	}
	f.session.table.put(key, generation, f)
	return 0
}

// Cancel ends a tracked read that failed.
func (f *feed) Cancel(key, _ string, _ error) { f.answered(key) }

func (f *feed) answered(key string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	n := f.asked[key]
	if n <= 1 {
		delete(f.asked, key)
	} else {
		f.asked[key] = n - 1
	}
	return n > 0 && !f.stopped
}

func (f *feed) closed() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stopped
}

// Delete takes a push: keys have changed, or with nil all have.
func (f *feed) Delete(keys []rueidis.RedisMessage) {
	if keys == nil {
		f.session.table.dropOwner(f)
		return
	}
	for i := range keys {
		if key, err := keys[i].ToString(); err == nil {
			f.session.table.drop(key)
		}
	}
}

// Close reports that the connection has ended.
func (f *feed) Close(err error) {
	f.mu.Lock()
	f.stopped = true
	clear(f.asked)
	f.mu.Unlock()
	f.session.table.dropOwner(f)
	if f.tested.Load() {
		f.session.end(err)
	}
}
