package redisstore

import (
	"context"
	"strings"
	"sync"
	"time"

	"github.com/cachegen/cachegen/runtime/internal/sieve"
	"github.com/cachegen/cachegen/runtime/store"
	"github.com/redis/rueidis"
)

// tracked is a cell whose generation this process knows and Redis will tell the change of.
type tracked struct {
	msg     rueidis.RedisMessage
	gen     store.Generation
	live    *store.Live
	expires time.Time
}

// backstop ends what is tracked without a push: Redis before 7.2 sends none when a cluster
// slot with its keys is taken away.
const backstop = 60 * time.Second

// feed is the client-side cache of one connection. rueidis calls Update, Delete and Close
// on the connection's reader, in the order in which Redis sent replies and pushes: that
// order is what the promises rest on. It keeps generations of cells and nothing else, and
// what it keeps dies with the connection.
type feed struct {
	s       *Store
	mu      sync.Mutex
	cells   *sieve.Map[string, *tracked]
	flights map[string]*waiting // requests under way, by key; nil once closed
}

// waiting is a request that later ones for the same key wait for.
type waiting struct {
	done chan struct{}
	msg  rueidis.RedisMessage
	err  error
}

func (w *waiting) Wait(ctx context.Context) (rueidis.RedisMessage, error) {
	select {
	case <-w.done:
		return w.msg, w.err
	case <-ctx.Done():
		return rueidis.RedisMessage{}, ctx.Err()
	}
}

func (w *waiting) end(msg rueidis.RedisMessage, err error) {
	w.msg, w.err = msg, err
	close(w.done)
}

func newFeed(s *Store) *feed {
	f := &feed{s: s, flights: map[string]*waiting{}}
	f.cells = sieve.New(sieve.Options[string, *tracked]{MaxEntries: s.maxTracked, Evicted: f.forget})
	return f
}

// forget ends a promise and takes it out of the index.
func (f *feed) forget(key string, t *tracked) {
	t.live.End()
	f.s.index.CompareAndDelete(key, t)
}

// Flight implements rueidis.CacheStore.
func (f *feed) Flight(key, _ string, _ time.Duration, now time.Time) (rueidis.RedisMessage, rueidis.CacheEntry) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if t, ok := f.cells.Get(key); ok {
		if now.Before(t.expires) {
			return t.msg, nil
		}
		f.drop(key)
	}
	if w, ok := f.flights[key]; ok {
		return rueidis.RedisMessage{}, w
	}
	if f.flights != nil {
		f.flights[key] = &waiting{done: make(chan struct{})}
	}
	return rueidis.RedisMessage{}, nil
}

// Update implements rueidis.CacheStore.
func (f *feed) Update(key, _ string, msg rueidis.RedisMessage) int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	w, ok := f.flights[key]
	if !ok {
		return 0
	}
	delete(f.flights, key)
	if text, err := msg.ToString(); err == nil && isCell(key) && strings.HasPrefix(text, "g") {
		t := &tracked{msg: msg, gen: store.Generation(text[1:]), live: new(store.Live), expires: time.Now().Add(backstop)}
		f.drop(key)
		f.cells.Set(key, t, 1)
		f.s.index.Store(key, t)
	}
	w.end(msg, nil)
	return 0
}

// isCell tells cells from entries: see the key forms of package cachert.
func isCell(key string) bool { return strings.HasSuffix(key, "}") }

// Cancel implements rueidis.CacheStore.
func (f *feed) Cancel(key, _ string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if w, ok := f.flights[key]; ok {
		delete(f.flights, key)
		w.end(rueidis.RedisMessage{}, err)
	}
}

// Delete implements rueidis.CacheStore: these keys have changed, all of them if nil.
func (f *feed) Delete(keys []rueidis.RedisMessage) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if keys == nil {
		f.dropAll()
		return
	}
	for _, k := range keys {
		if key, err := k.ToString(); err == nil {
			f.drop(key)
		}
	}
}

func (f *feed) drop(key string) {
	if t, ok := f.cells.Delete(key); ok {
		f.forget(key, t)
	}
}

func (f *feed) dropAll() {
	f.cells.All(f.forget)
	f.cells.Clear()
}

// Close implements rueidis.CacheStore: the connection is gone, and with it all pushes.
func (f *feed) Close(err error) {
	f.mu.Lock()
	f.dropAll()
	flights := f.flights
	f.flights = nil
	f.mu.Unlock()
	for _, w := range flights {
		w.end(rueidis.RedisMessage{}, err)
	}
	f.s.lost(err)
}
