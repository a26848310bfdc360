package redisstore_test

import (
	"fmt"
	"net"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/store"
)

// addReplicas joins a replica for each of nodes to the cluster, and returns when clients are
// told of them.
func addReplicas(t *testing.T, c *testserver.RedisClusterServers, nodes ...*testserver.RedisServer) map[*testserver.RedisServer]*testserver.RedisServer {
	t.Helper()
	replicas := map[*testserver.RedisServer]*testserver.RedisServer{}
	for _, n := range nodes {
		bus, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		_, port, err := net.SplitHostPort(bus.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		if err := bus.Close(); err != nil {
			t.Fatal(err)
		}
		replica := testserver.Redis(t, "--cluster-enabled", "yes", "--cluster-port", port, "--cluster-announce-ip", "127.0.0.1", "--cluster-node-timeout", "2000")
		host, own, err := net.SplitHostPort(replica.Addr)
		if err != nil {
			t.Fatal(err)
		}
		for _, node := range c.Nodes { // all, for gossip takes its time
			must(t, node, "CLUSTER", "MEET", host, own, port)
		}
		replicas[n] = replica
	}
	for n, replica := range replicas {
		id := myID(t, n)
		await(t, func() bool {
			_, err := replica.Do("CLUSTER", "REPLICATE", id)
			return err == nil
		})
	}
	for _, replica := range replicas {
		_, own, _ := net.SplitHostPort(replica.Addr)
		for _, node := range c.Nodes {
			until(t, node, own, "CLUSTER", "SLOTS")
		}
		until(t, replica, "master_link_status:up", "INFO", "replication")
	}
	return replicas
}

func TestClusterFaults(t *testing.T) {
	c := testserver.RedisCluster(t, 3)
	replica := addReplicas(t, c, c.Nodes[0])[c.Nodes[0]]
	s := open(t, c.Addrs()...)
	cells := make([]string, 30)
	for i := range cells {
		cells[i] = fmt.Sprintf("ns:{%d}", i)
	}
	promises := func() (out []*store.Live) {
		t.Helper()
		for range 2 {
			reply, err := read(s, cells...)
			if err != nil {
				t.Fatal(err)
			}
			out = out[:0]
			for _, cell := range reply.Cells {
				if cell.Live != nil {
					out = append(out, cell.Live)
				}
			}
		}
		return out
	}
	if n := len(promises()); n != len(cells) {
		t.Fatalf("%d promises for %d cells on all nodes", n, len(cells))
	}

	// A replica is of no interest, alive or dead.
	if err := replica.Kill(); err != nil {
		t.Fatal(err)
	}
	if changed, err := s.Probe(within(t, 5*time.Second)); changed || err != nil {
		t.Errorf("Probe of a session with a dead replica: %v, %v", changed, err)
	}
	if changed, err := open(t, c.Addrs()...).Probe(within(t, 5*time.Second)); changed || err != nil {
		t.Errorf("Probe beside a dead replica: %v, %v", changed, err)
	}

	// A primary that is gone takes all promises with it, and nothing is trusted without it.
	held := promises()
	if err := c.Nodes[1].Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, func() bool {
		for _, p := range held {
			if p.Alive() {
				return false
			}
		}
		return true
	})
	if _, err := s.Probe(within(t, 5*time.Second)); err == nil {
		t.Error("Probe found nothing wrong with a cluster without one of its primaries")
	}
	if err := c.Nodes[1].Restart(); err != nil {
		t.Fatal(err)
	}
	var changed bool
	await(t, func() (good bool) {
		var err error
		changed, err = s.Probe(within(t, 5*time.Second))
		return err == nil
	})
	if !changed {
		t.Error("a primary has restarted and Probe says that nothing changed")
	}
	if n := len(promises()); n != len(cells) {
		t.Errorf("%d promises for %d cells after the restart", n, len(cells))
	}
}
