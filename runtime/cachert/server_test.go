package cachert

import (
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// A digit of the number must not look like what stands behind it.
func TestAGenerationNamesItsServer(t *testing.T) {
	c := newShop(t, nil).cache
	for i := range uint64(1000) {
		server := i * 0x9e3779b97f4a7c15
		c.server.Store(server)
		if name, _, _ := strings.Cut(string(c.fresh()), "x"); name != strconv.FormatUint(server, generationBase) {
			t.Fatalf("server %d: named %q", server, name)
		}
	}
}

// identified is a store whose server has a name.
type identified struct {
	*flaky
	mu   sync.Mutex
	name string
}

func (i *identified) Identity() string {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.name
}

// One change is counted and told once, whether the store reports it or the namespace's
// generation shows it, and however often its renewal is tried.
func TestAServerChangeIsCountedOnce(t *testing.T) {
	for name, reported := range map[string]bool{"reported": true, "recognised": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f, seen := &identified{flaky: &flaky{Store: memstore.New(memstore.Options{})}, name: "a"}, &kinds{}
				s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Store, o.Observer = f, seen })
				f.mu.Lock()
				f.name = "b"
				f.mu.Unlock()
				if reported {
					f.changeServer()
				}
				f.set("post")
				f.lost(store.ErrDown)
				<-time.After(5 * time.Second)
				f.set()
				s.drain()
				if n := s.cache.Stats().Voids.ServerChanges; n != 1 || seen.count(EventServerChange) != 1 {
					t.Errorf("%d changes counted and %d told, want one", n, seen.count(EventServerChange))
				}
				_ = s.cache.Close()
			})
		})
	}
}
