package redisstore_test

import (
	"testing"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// 1 a snapshot holds a generation together with its entry; 2 a write is acknowledged; 3 the
// server dies and restarts from the snapshot: the old generation and the old entry are back.
// Neither who saw the server before may believe them,
func TestRestartFromASnapshot(t *testing.T) {
	srv := testserver.Redis(t)
	source := newShelf()
	strict, session := openShop(t, source, plan{}, srv.Addr), openShop(t, source, plan{level: cachert.LevelSession}, srv.Addr)
	source.commit(1)
	strict.cached(1, 1)
	session.cached(1, 1)
	must(t, srv, "SAVE")
	strict.mustWrite(1)
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	strict.fresh(1, 2)
	session.fresh(1, 2)
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	for range 20 {
		strict.fresh(1, 2)
		session.fresh(1, 2)
	}
	strict.trusts()
	session.trusts()
	strict.cached(1, 2)
	session.cached(1, 2)
}

// nor a process that starts only now and has nothing to compare with.
func TestRestartFromASnapshotSeenByANewProcess(t *testing.T) {
	srv := testserver.Redis(t)
	source := newShelf()
	source.commit(1)
	before := openShop(t, source, plan{}, srv.Addr)
	before.cached(1, 1)
	must(t, srv, "SAVE")
	before.mustWrite(1)
	if err := before.Close(); err != nil {
		t.Fatal(err)
	}
	if err := srv.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	after := openShop(t, source, plan{}, srv.Addr)
	after.fresh(1, 2)
	after.cached(1, 2)

	// The same server, seen by one more process: what is cached stays.
	another := openShop(t, source, plan{}, srv.Addr)
	loads := source.loads.Load()
	if another.fresh(1, 2); source.loads.Load() != loads {
		t.Errorf("a new process gave up what is cached though the server is the same: %+v", another.Stats())
	}
}
