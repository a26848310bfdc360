package redisstore_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// fill writes foreign keys until the server has evicted our cells.
func fill(t *testing.T, srv *testserver.RedisServer, pattern string) {
	t.Helper()
	round := 0
	await(t, func() bool {
		round++
		must(t, srv, "EVAL", fmt.Sprintf("for i = 1, 500 do redis.call('SET', 'filler%d-' .. i, string.rep('x', 4000)) end", round), "0")
		keys, err := srv.Do("KEYS", pattern)
		return err == nil && keys == ""
	})
}

// 1 a write has marked at session, on a server that evicts; 2 memory runs full, and the marker
// goes; 3 a reader makes the cell anew and stores the row as it was; 4 the write commits and
// posts: the loss is counted and repaired. Strict has nothing to do with such a server.
func TestCellIsEvictedDuringAWrite(t *testing.T) {
	srv := testserver.Redis(t, "--maxmemory", "5mb", "--maxmemory-policy", "allkeys-lru")
	source := newShelf()
	source.commit(1)
	p := plan{level: cachert.LevelSession}
	writer, other := openShop(t, source, p, srv.Addr), openShop(t, source, p, srv.Addr)
	writer.cached(1, 1)
	other.cached(1, 1)
	v, err := writer.write(t.Context(), 1, func() {
		fill(t, srv, "*books/book*")
		other.cached(1, 1)
	}, nil)
	if v != 2 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	writer.fresh(1, 2)
	await(t, func() bool { return other.read(t.Context(), 1) == 2 })
	if n := writer.stat("Update").MarkersLost; n != 1 {
		t.Errorf("%d markers lost, want 1", n)
	}
	// Cells that go between writes cost a miss, and no generation comes again.
	fill(t, srv, "*books/book*")
	writer.cached(1, 2)
	other.cached(1, 2)

	strict := openShop(t, source, plan{}, srv.Addr)
	for range 3 {
		strict.fresh(1, 2)
	}
	if m := strict.stat("ByID"); m.Misses != 3 || m.Fills != 0 {
		t.Errorf("strict reads of a server that evicts: %+v", m)
	}
	_, err = strict.write(t.Context(), 1, nil, nil)
	if !errors.Is(err, cachert.ErrRefused) || !errors.Is(err, cachert.ErrUnsafe) || source.version(1) != 2 {
		t.Errorf("a strict write: %v, version %d", err, source.version(1))
	}
	if err := strict.Ready(); !errors.Is(err, cachert.ErrUnsafe) || !strings.Contains(err.Error(), "set noeviction") {
		t.Errorf("Ready: %v", err)
	}
	accepted := openShop(t, source, plan{cache: cachert.Options{StrictDespite: []string{"eviction"}}}, srv.Addr)
	if v, err := accepted.write(t.Context(), 1, nil, nil); v != 3 || err != nil || accepted.Ready() != nil {
		t.Errorf("accepted: version %d, %v, %v", v, err, accepted.Ready())
	}
	accepted.fresh(1, 3)
}

// A server whose policy is changed while it is in use is found out by the next probe.
func TestEvictionIsFoundLater(t *testing.T) {
	srv := testserver.Redis(t)
	source := newShelf()
	s := openShop(t, source, plan{cache: cachert.Options{StoreTimeout: 150 * time.Millisecond}}, srv.Addr)
	s.cached(1, 0)
	must(t, srv, "CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
	must(t, srv, "CLIENT", "KILL", "TYPE", "normal")
	await(t, func() bool { return errors.Is(s.Ready(), cachert.ErrUnsafe) })
	if _, err := s.write(t.Context(), 1, nil, nil); !errors.Is(err, cachert.ErrUnsafe) {
		t.Errorf("a strict write: %v", err)
	}
}
