package redisstore_test

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/redisstore"
)

// cellNode finds the node on which the cell of a book stands, and its slot.
func cellNode(t *testing.T, c *testserver.RedisClusterServers, pattern string) (node *testserver.RedisServer, key, slot string) {
	t.Helper()
	for _, n := range c.Nodes {
		keys, err := n.Do("KEYS", pattern)
		if err != nil {
			t.Fatal(err)
		}
		if keys == "" {
			continue
		}
		key, _, _ = strings.Cut(keys, "\n")
		if slot, err = n.Do("CLUSTER", "KEYSLOT", key); err != nil {
			t.Fatal(err)
		}
		return n, key, slot
	}
	t.Fatalf("no key %s", pattern)
	return nil, "", ""
}

func myID(t *testing.T, n *testserver.RedisServer) string {
	t.Helper()
	id, err := n.Do("CLUSTER", "MYID")
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// migrate moves keys, one after another, from one node to another.
func migrate(t *testing.T, from, to *testserver.RedisServer, keys ...string) {
	t.Helper()
	host, port, err := net.SplitHostPort(to.Addr)
	if err != nil {
		t.Fatal(err)
	}
	for _, key := range keys {
		must(t, from, "MIGRATE", host, port, key, "0", "5000", "REPLACE")
	}
}

func keysInSlot(t *testing.T, n *testserver.RedisServer, slot string) []string {
	t.Helper()
	text, err := n.Do("CLUSTER", "GETKEYSINSLOT", slot, "100")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Fields(text)
}

// moveSlot moves a slot and its keys to another node, and calls between after each step.
func moveSlot(t *testing.T, c *testserver.RedisClusterServers, from *testserver.RedisServer, slot string, between func()) {
	t.Helper()
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	fromID, toID := myID(t, from), myID(t, to)
	must(t, to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromID)
	between()
	must(t, from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toID)
	between()
	migrate(t, from, to, keysInSlot(t, from, slot)...)
	between()
	must(t, to, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	between()
	must(t, from, "CLUSTER", "SETSLOT", slot, "NODE", toID)
	between()
}

// A slot moves while its cell and its entries are read and written: between any two steps of
// the move a write is acknowledged, and nobody reads anything older.
func TestASlotMovesUnderReadsAndWrites(t *testing.T) {
	c := testserver.RedisCluster(t, 3)
	source := newShelf()
	source.commit(1)
	addrs := c.Addrs()
	brief := cachert.Options{NearTTL: 300 * time.Millisecond}
	one, two := openShop(t, source, plan{}, addrs...), openShop(t, source, plan{}, addrs...)
	session := openShop(t, source, plan{level: cachert.LevelSession, cache: brief}, addrs...)
	other := openShop(t, source, plan{level: cachert.LevelSession, cache: brief}, addrs...)
	for _, s := range []*shop{one, two, session, other} {
		s.cached(1, 1)
	}
	from, cell, slot := cellNode(t, c, "*books/book*1}")
	to := c.Nodes[0]
	if to == from {
		to = c.Nodes[1]
	}
	fromID, toID := myID(t, from), myID(t, to)

	check := func(step string) {
		t.Helper()
		for _, s := range []*shop{one, session} {
			v := s.mustWrite(1)
			s.fresh(1, v)
			one.fresh(1, v)
			two.fresh(1, v)
			await(t, func() bool { return other.read(t.Context(), 1) == v }) // the push, or NearTTL
		}
		if t.Failed() {
			t.Fatalf("after: %s", step)
		}
	}
	check("nothing")
	steps := []struct {
		name string
		do   func()
	}{
		{"the target imports", func() { must(t, to, "CLUSTER", "SETSLOT", slot, "IMPORTING", fromID) }},
		{"the slot migrates", func() { must(t, from, "CLUSTER", "SETSLOT", slot, "MIGRATING", toID) }},
		{"the cell has moved", func() { migrate(t, from, to, cell) }},
		{"all keys have moved", func() { migrate(t, from, to, keysInSlot(t, from, slot)...) }},
		{"the target owns the slot", func() { must(t, to, "CLUSTER", "SETSLOT", slot, "NODE", toID) }},
		{"the source knows", func() { must(t, from, "CLUSTER", "SETSLOT", slot, "NODE", toID) }},
	}
	for _, s := range steps {
		s.do()
		check(s.name)
	}
	for _, s := range []*shop{one, two, session, other} {
		s.trusts()
		s.cached(1, source.version(1))
	}
}

// 1 a write has marked the cell; 2 the slot moves, marker and all; 3 readers find the marker on
// the other node; 4 the write commits, and its post has to find it there, too
func TestASlotMovesDuringAWrite(t *testing.T) {
	c := testserver.RedisCluster(t, 3)
	source := newShelf()
	source.commit(1)
	writer, other := openShop(t, source, plan{}, c.Addrs()...), openShop(t, source, plan{}, c.Addrs()...)
	writer.cached(1, 1)
	other.cached(1, 1)
	v, err := writer.write(t.Context(), 1, func() {
		from, _, slot := cellNode(t, c, "*books/book*1}")
		moveSlot(t, c, from, slot, func() { other.fresh(1, 1) })
	}, func() { other.fresh(1, 2) })
	if v != 2 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	writer.fresh(1, 2)
	other.fresh(1, 2)
	writer.trusts()
	other.trusts()
	writer.cached(1, 2)
	other.cached(1, 2)
	if n := writer.stat("Update").MarkersLost; n != 0 {
		t.Errorf("%d markers lost", n)
	}
}

// 1 a write has marked, and waited for the replica; 2 the primary of the cell hands over or dies,
// and the replica takes the slots; 3 readers find the marker there; 4 the write commits, posts
func TestClusterFailoverDuringAWrite(t *testing.T) {
	c := testserver.RedisCluster(t, 3)
	replicas := addReplicas(t, c, c.Nodes...)
	t.Run("a slot moves", func(t *testing.T) { // the route of its marks is not right any more
		waits := plan{options: redisstore.Options{Replicas: 1}, cache: cachert.Options{Namespace: "ns0"}}
		s := openShop(t, newShelf(), waits, c.Addrs()...)
		s.mustWrite(3)
		from, _, slot := cellNode(t, c, "ns0*books/book*3}")
		moveSlot(t, c, from, slot, func() {})
		v := s.mustWrite(3)
		s.fresh(3, v)
		s.cached(3, v)
		if now, _, _ := cellNode(t, c, "ns0*books/book*3}"); now == from || s.Stats().Outages == 0 {
			t.Errorf("the cell has moved: %v; outages: %d, want one", now != from, s.Stats().Outages)
		}
	})
	t.Run("the primary hands over", func(t *testing.T) {
		failOver(t, c, 1, func(primary *testserver.RedisServer) *testserver.RedisServer {
			must(t, replicas[primary], "CLUSTER", "FAILOVER")
			former := primary
			primary, replicas[replicas[former]] = replicas[former], former
			return primary
		})
	})
	t.Run("the primary is killed", func(t *testing.T) {
		failOver(t, c, 2, func(primary *testserver.RedisServer) *testserver.RedisServer {
			if err := primary.Kill(); err != nil {
				t.Error(err)
			}
			must(t, replicas[primary], "CLUSTER", "FAILOVER", "TAKEOVER")
			return replicas[primary]
		})
	})
}

// failOver plays the schedule on a book; fail returns the server that is primary then.
func failOver(t *testing.T, c *testserver.RedisClusterServers, id int64, fail func(primary *testserver.RedisServer) *testserver.RedisServer) {
	source := newShelf()
	source.commit(id)
	waits := cachert.Options{Namespace: fmt.Sprintf("ns%d", id)}
	near := waits
	near.NearTTL = 300 * time.Millisecond
	p := plan{options: redisstore.Options{Replicas: 1}, cache: waits}
	writer, other := openShop(t, source, p, c.Addrs()...), openShop(t, source, p, c.Addrs()...)
	p.level, p.cache = cachert.LevelSession, near
	session := openShop(t, source, p, c.Addrs()...)
	for _, s := range []*shop{writer, other, session} {
		s.cached(id, 1)
	}
	primary, _, _ := cellNode(t, c, fmt.Sprintf("ns%d*books/book*%d}", id, id))
	v, err := writer.write(t.Context(), id, func() {
		until(t, fail(primary), "role:master", "INFO", "replication")
		for range 20 {
			other.fresh(id, 1)
		}
		other.trusts()
		other.fresh(id, 1)
	}, func() { other.fresh(id, 2) })
	if v != 2 || err != nil {
		t.Fatalf("version %d, %v", v, err)
	}
	writer.fresh(id, 2)
	other.fresh(id, 2)
	await(t, func() bool { return session.read(t.Context(), id) == 2 })
	for _, s := range []*shop{writer, other, session} {
		s.trusts()
		s.cached(id, 2)
	}
	// Where the new primary has no replica of its own, marks are not waited for in vain for
	// long: a write at session goes on.
	if v, err := session.write(t.Context(), id, nil, nil); v != 3 || err != nil {
		t.Errorf("version %d, %v", v, err)
	}
	session.fresh(id, 3)
	await(t, func() bool { return other.read(t.Context(), id) == 3 })
}
