package sqlstore_test

import (
	"context"
	"database/sql"
	"encoding/binary"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// numbers is a repository over a database and its replica.
type numbers struct {
	*cachert.Cache
	t     *testing.T
	pools sqltx.Pools[*sql.DB]
	get   *cachert.Reader[int64]
	set   *cachert.Writer
	// loaded, if set, is told what came from the replica.
	loaded func(id, n int64)
}

func newNumbers(t *testing.T, pools sqltx.Pools[*sql.DB], lag, ttl time.Duration) *numbers {
	cache, err := cachert.Open(cachert.Options{
		Namespace: "numbers", ReplicaLag: lag, ClockSkew: time.Millisecond, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	repo := cache.Repo(cachert.RepoPolicy{Name: "numbers"})
	return &numbers{
		Cache: cache, t: t, pools: pools,
		get: cachert.NewReader(repo, cachert.ReadPolicy[int64]{
			Method: "Get", Key: "Get", Schema: "1", TTL: ttl,
			Codec: cachert.Codec[int64]{
				Append: func(b []byte, v int64) ([]byte, error) { return binary.AppendVarint(b, v), nil },
				Decode: func(b []byte) (int64, error) { v, _ := binary.Varint(b); return v, nil },
			},
		}),
		set: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Add"}),
	}
}

func (n *numbers) tags(id int64) func(*cachert.Tags) {
	return func(t *cachert.Tags) { t.Tag("numbers/number").Int(id) }
}

func (n *numbers) read(ctx context.Context, id int64) int64 {
	n.t.Helper()
	got, err := n.get.Get(ctx, cachert.Call[int64]{Key: cachert.NewArgs().Int(id), Tags: n.tags(id)}, func(ctx context.Context) (int64, error) {
		from := n.pools.For(ctx)
		got, err := query(ctx, from, id)
		if err == nil && n.loaded != nil && from == n.pools.Replica {
			n.loaded(id, got)
		}
		return got, err
	})
	if err != nil {
		n.t.Error(err)
	}
	return got
}

func query(ctx context.Context, db *sql.DB, id int64) (n int64, err error) {
	err = db.QueryRowContext(ctx, "SELECT n FROM numbers WHERE id = $1", id).Scan(&n)
	return n, err
}

func (n *numbers) add(ctx context.Context, id int64) (now int64) {
	n.t.Helper()
	err := sqltx.Run(ctx, n.Cache, n.pools.Primary, nil, func(ctx context.Context, tx *sql.Tx) error {
		return n.set.Do(ctx, cachert.Change{Tags: n.tags(id), Run: func(ctx context.Context) error {
			return tx.QueryRowContext(ctx, "UPDATE numbers SET n = n + 1 WHERE id = $1 RETURNING n", id).Scan(&now)
		}})
	})
	if err != nil {
		n.t.Error(err)
	}
	return now
}

const manyNumbers = 30

// openReplicated starts a database with a table of numbers, and a replica.
func openReplicated(t *testing.T, args ...string) sqltx.Pools[*sql.DB] {
	primary := testserver.Postgres(t)
	connect := func(address string) *sql.DB {
		db, err := sql.Open("pgx", address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = db.Close() })
		return db
	}
	db := connect(primary.DSN)
	for _, statement := range []string{
		"CREATE TABLE numbers (id bigint PRIMARY KEY, n bigint NOT NULL)",
		"INSERT INTO numbers SELECT id, 1 FROM generate_series(0, 29) AS id",
	} {
		if _, err := db.ExecContext(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	return sqltx.Pools[*sql.DB]{Primary: db, Replica: connect(testserver.PostgresReplica(t, primary, args...).DSN)}
}

// caughtUp waits until the replica shows a number.
func caughtUp(t *testing.T, pools sqltx.Pools[*sql.DB], id, want int64) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for {
		got, err := query(ctx, pools.Replica, id)
		if err != nil {
			t.Fatal(err)
		}
		if got == want {
			return
		}
		time.Sleep(10 * time.Millisecond) // between two questions
	}
}

// A replica that applies nothing until it is told to.
func TestPausedReplica(t *testing.T) {
	pools := openReplicated(t)
	ctx := t.Context()
	caughtUp(t, pools, 1, 1)
	replay := func(how string) {
		if _, err := pools.Replica.ExecContext(ctx, "SELECT pg_wal_replay_"+how+"()"); err != nil {
			t.Fatal(err)
		}
	}
	careful, careless := newNumbers(t, pools, time.Hour, time.Hour), newNumbers(t, pools, 0, time.Hour)

	replay("pause")
	for range 5 {
		want := careful.add(ctx, 1)
		if got := careful.read(ctx, 1); got != want {
			t.Errorf("read %d after %d was written", got, want)
		}
	}
	want := careless.add(ctx, 2)
	careless.pools.Primary = pools.Replica // for loads, from here on
	if got := careless.read(ctx, 2); got == want {
		t.Fatal("the replica does not lag: nothing is tested")
	}
	replay("resume")
	caughtUp(t, pools, 2, want)
	if got := careless.read(ctx, 2); got == want {
		t.Error("the control: what was loaded from the replica did not stay")
	}

	brief := newNumbers(t, pools, time.Millisecond, time.Millisecond)
	deadline := time.Now().Add(30 * time.Second)
	for brief.Stats().Methods[0].ReplicaLoads == 0 {
		if got := brief.read(ctx, 2); got != want || time.Now().After(deadline) {
			t.Fatalf("read %d, want %d, from the replica", got, want)
		}
	}
}

// A replica that is always behind, and readers and writers of many rows. No read is older
// than what had been acknowledged before it.
func TestLaggingReplica(t *testing.T) {
	pools := openReplicated(t, "-c", "recovery_min_apply_delay=150ms")
	caughtUp(t, pools, 0, 1)
	const lag = time.Second
	n := newNumbers(t, pools, lag, 20*time.Millisecond)
	var mu sync.Mutex
	var acked [manyNumbers]int64
	replaced := map[[2]int64]time.Time{} // when a number was replaced by the next one
	late := false                        // the replica was behind by more than it may
	n.loaded = func(id, got int64) {
		mu.Lock()
		defer mu.Unlock()
		if at, ok := replaced[[2]int64{id, got}]; ok && time.Since(at) > lag {
			late = true
		}
	}
	end := time.Now().Add(3 * time.Second)
	var wg sync.WaitGroup
	for worker := range uint64(4) {
		rnd := rand.New(rand.NewPCG(worker, 1))
		wg.Go(func() {
			for time.Now().Before(end) {
				id := rnd.Int64N(manyNumbers)
				if rnd.IntN(200) == 0 {
					now := n.add(t.Context(), id)
					mu.Lock()
					acked[id] = max(acked[id], now)
					replaced[[2]int64{id, now - 1}] = time.Now()
					mu.Unlock()
					continue
				}
				mu.Lock()
				least := acked[id]
				mu.Unlock()
				got := n.read(t.Context(), id)
				mu.Lock()
				if got < least && !late {
					t.Errorf("row %d: read %d after %d was acknowledged", id, got, least)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	quiet := time.Now() // no write opens a window any more
	for id := int64(0); n.Stats().Methods[0].ReplicaLoads < manyNumbers && time.Since(quiet) < 30*time.Second; id = (id + 1) % manyNumbers {
		got := n.read(t.Context(), id)
		mu.Lock()
		if got < acked[id] && !late {
			t.Errorf("row %d: read %d after %d was acknowledged", id, got, acked[id])
		}
		mu.Unlock()
	}
	m := n.Stats().Methods[0]
	t.Logf("%d loads, %d of them from the replica, %d near hits; late: %v", m.Loads, m.ReplicaLoads, m.NearHits, late)
	if m.ReplicaLoads == 0 || m.ReplicaLoads == m.Loads {
		t.Error("one of both was never asked: nothing was tested")
	}
}
