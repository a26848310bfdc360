// Package goldentest runs the tests of the golden packages: each of them over every kind of
// cache, with a real Redis server, and with an eye on the calls that reach the source.
//
// A test says which calls must be answered by the source (Miss) and which must not (Hit). It
// never sleeps: what is stored without the caller waiting for it is awaited with Drain.
package goldentest

import (
	"fmt"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/store"
	"github.com/redis/rueidis"
)

// redis is the server that the tests of one package share.
var (
	started atomic.Bool
	redis   = sync.OnceValues(func() (*testserver.RedisServer, error) {
		started.Store(true)
		return testserver.StartRedis()
	})
	namespaces atomic.Int64
)

// Main is the TestMain of a golden package: it ends the server that the tests shared.
func Main(m *testing.M) {
	m.Run()
	if !started.Load() {
		return
	}
	if server, err := redis(); err == nil {
		_ = server.Close()
	}
}

// Each runs a test over memory and over Redis, with values kept near and without: near
// hits are served from copies of a value, the others from its encoding.
func Each(t *testing.T, test func(t *testing.T, cache *cachert.Cache)) {
	t.Helper()
	for _, kind := range []struct {
		name  string
		store func(*testing.T) store.Store
		near  int
	}{
		{"memory", memory, 0},
		{"memory/far", memory, -1},
		{"redis", onRedis, 0},
		{"redis/far", onRedis, -1},
	} {
		t.Run(kind.name, func(t *testing.T) {
			test(t, open(t, cachert.Options{
				Namespace:   fmt.Sprintf("golden%d", namespaces.Add(1)),
				Store:       kind.store(t),
				NearEntries: kind.near,
			}))
		})
	}
}

// Pair runs a test with two caches over one Redis server and one namespace, as two
// processes would have them.
func Pair(t *testing.T, test func(t *testing.T, one, other *cachert.Cache)) {
	t.Helper()
	namespace := fmt.Sprintf("golden%d", namespaces.Add(1))
	one := open(t, cachert.Options{Namespace: namespace, Store: onRedis(t)})
	other := open(t, cachert.Options{Namespace: namespace, Store: onRedis(t)})
	test(t, one, other)
}

// open opens a cache that no slow machine brings out of step: time-outs are no subject here.
func open(t *testing.T, o cachert.Options) *cachert.Cache {
	t.Helper()
	o.StoreTimeout, o.Lease, o.NearTTL = 20*time.Second, 10*time.Minute, 10*time.Minute
	cache, err := cachert.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	})
	return cache
}

func memory(*testing.T) store.Store { return memstore.New(memstore.Options{}) }

func onRedis(t *testing.T) store.Store {
	t.Helper()
	server, err := redis()
	if err != nil {
		t.Fatal(err)
	}
	s, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{server.Addr}}, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Source counts the calls that reach it; see memdb.Calls.
type Source interface{ CallsTotal() int }

// Probe watches a source behind a cache.
type Probe struct {
	t      *testing.T
	cache  *cachert.Cache
	source Source
}

// Watch returns a probe.
func Watch(t *testing.T, cache *cachert.Cache, source Source) *Probe {
	return &Probe{t, cache, source}
}

// Miss fails the test unless call asks the source.
func (p *Probe) Miss(call func()) {
	p.t.Helper()
	if p.asked(call) == 0 {
		p.t.Errorf("answered from the cache; the source must be asked")
	}
}

// Hit fails the test if call asks the source, now or when it is repeated.
func (p *Probe) Hit(call func()) {
	p.t.Helper()
	for range 2 {
		if n := p.asked(call); n > 0 {
			p.t.Errorf("the source was asked %d times; the answer must come from the cache", n)
		}
	}
}

// MissThenHit is Miss, and Hit from then on.
func (p *Probe) MissThenHit(call func()) {
	p.t.Helper()
	p.Miss(call)
	p.Hit(call)
}

// Always fails the test unless call asks the source each time.
func (p *Probe) Always(call func()) {
	p.t.Helper()
	for range 3 {
		p.Miss(call)
	}
}

// asked runs call once nothing is under way, and returns how often the source was called.
func (p *Probe) asked(call func()) int {
	p.t.Helper()
	if err := p.cache.Drain(p.t.Context()); err != nil {
		p.t.Fatal(err)
	}
	before := p.source.CallsTotal()
	call()
	return p.source.CallsTotal() - before
}

// Want fails the test unless err is nil and got equals want.
func Want[T any](t *testing.T, got T, err error, want T) {
	t.Helper()
	WantErr(t, got, err, want, nil)
}

// WantErr fails the test unless err is wantErr itself, not one that wraps it, and got
// equals want.
func WantErr[T any](t *testing.T, got T, err error, want T, wantErr error) {
	t.Helper()
	if err != wantErr { //nolint:errorlint // callers compare with ==
		t.Errorf("error %v, want %v itself", err, wantErr)
	}
	Equal(t, got, want)
}

// Equal fails the test unless got and want are deeply equal; a nil slice is no empty slice.
func Equal[T any](t *testing.T, got, want T) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %s\nwant %s", show(got), show(want))
	}
}

// Do fails the test at once if a write failed.
func Do(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func show(v any) string { return strings.TrimSpace(fmt.Sprintf("%#v", v)) }
