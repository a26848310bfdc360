package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
)

// slots is the number of hash slots of a Redis Cluster.
const slots = 16384

// RedisClusterServers is a running Redis Cluster of primaries without replicas.
type RedisClusterServers struct {
	// Nodes share the slots evenly, in this order.
	Nodes []*RedisServer
}

// StartRedisCluster starts n primaries and returns when each of them knows the others and
// that all slots are served.
func StartRedisCluster(n int) (c *RedisClusterServers, err error) {
	if n < 1 {
		return nil, fmt.Errorf("testserver: a cluster of %d nodes", n)
	}
	c = &RedisClusterServers{}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.Close())
			c = nil
		}
	}()
	buses := make([]string, n)
	for i := range n {
		if buses[i], err = freePort(); err != nil {
			return c, err
		}
		node, err := StartRedis(
			"--cluster-enabled", "yes",
			"--cluster-port", buses[i],
			"--cluster-node-timeout", "2000",
			"--cluster-announce-ip", "127.0.0.1",
		)
		if err != nil {
			return c, err
		}
		c.Nodes = append(c.Nodes, node)
	}
	for i, node := range c.Nodes {
		from, to := slots*i/n, slots*(i+1)/n-1
		if _, err := node.Do("CLUSTER", "ADDSLOTSRANGE", strconv.Itoa(from), strconv.Itoa(to)); err != nil {
			return c, err
		}
		// Distinct epochs from the start save the nodes a conflict to resolve.
		if _, err := node.Do("CLUSTER", "SET-CONFIG-EPOCH", strconv.Itoa(i+1)); err != nil {
			return c, err
		}
	}
	for i, node := range c.Nodes[1:] {
		host, port, err := net.SplitHostPort(node.Addr)
		if err != nil {
			return c, err
		}
		if _, err := c.Nodes[0].Do("CLUSTER", "MEET", host, port, buses[i+1]); err != nil {
			return c, err
		}
	}
	return c, c.awaitReady()
}

func (c *RedisClusterServers) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	known := fmt.Sprintf("cluster_known_nodes:%d\r\n", len(c.Nodes))
	served := fmt.Sprintf("cluster_slots_ok:%d\r\n", slots)
	return poll(ctx, func() error {
		for _, node := range c.Nodes {
			info, err := Do(ctx, node.Addr, "CLUSTER", "INFO")
			if err != nil {
				return err
			}
			if !strings.Contains(info, "cluster_state:ok\r\n") || !strings.Contains(info, known) || !strings.Contains(info, served) {
				return fmt.Errorf("testserver: cluster node %s is not ready: %s", node.Addr, info)
			}
		}
		return nil
	})
}

// Addrs returns host:port of every node.
func (c *RedisClusterServers) Addrs() []string {
	addrs := make([]string, len(c.Nodes))
	for i, node := range c.Nodes {
		addrs[i] = node.Addr
	}
	return addrs
}

// NodeOf returns the node that serves key.
func (c *RedisClusterServers) NodeOf(key string) (*RedisServer, error) {
	text, err := c.Nodes[0].Do("CLUSTER", "KEYSLOT", key)
	if err != nil {
		return nil, err
	}
	slot, err := strconv.Atoi(text)
	if err != nil {
		return nil, fmt.Errorf("testserver: slot of %q: %w", key, err)
	}
	n := len(c.Nodes)
	for i := range n {
		if slot < slots*(i+1)/n {
			return c.Nodes[i], nil
		}
	}
	return nil, fmt.Errorf("testserver: slot %d of %q", slot, key)
}

// Close ends all nodes.
func (c *RedisClusterServers) Close() error {
	var errs []error
	for _, node := range c.Nodes {
		errs = append(errs, node.Close())
	}
	return errors.Join(errs...)
}
