package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
)

// RedisSentinelServers is a primary with one replica, watched by one Sentinel whose word is
// enough for a failover; it gives a silent primary half a second.
type RedisSentinelServers struct {
	// Master is the name under which the Sentinel knows the primary.
	Master string
	// Primary and Replica are what they were at the start.
	Primary, Replica *RedisServer
	// Sentinel answers at its Addr.
	Sentinel *RedisServer
}

// StartRedisSentinel returns when the replica is in step and the Sentinel knows it.
func StartRedisSentinel() (s *RedisSentinelServers, err error) {
	s = &RedisSentinelServers{Master: "primary"}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.Close())
			s = nil
		}
	}()
	if s.Primary, err = StartRedis(); err != nil {
		return s, err
	}
	host, port, err := net.SplitHostPort(s.Primary.Addr)
	if err != nil {
		return s, err
	}
	if s.Replica, err = StartRedis("--replicaof", host+" "+port); err != nil {
		return s, err
	}
	// A Sentinel asks for replicas when it first connects and then every ten seconds: so
	// the replica has to be there first.
	if err := await(s.Replica, "master_link_status:up", "INFO", "replication"); err != nil {
		return s, err
	}
	if s.Sentinel, err = startSentinel(s.Master, host, port); err != nil {
		return s, err
	}
	return s, await(s.Sentinel, s.Replica.Addr, "SENTINEL", "REPLICAS", s.Master)
}

func startSentinel(master, host, port string) (*RedisServer, error) {
	return startRedis("cachegen-sentinel-", func(own, dir string) ([]string, error) {
		config := filepath.Join(dir, "sentinel.conf")
		text := strings.Join([]string{
			"bind 127.0.0.1",
			"port " + own,
			"dir " + dir,
			"sentinel monitor " + master + " " + host + " " + port + " 1",
			"sentinel down-after-milliseconds " + master + " 500",
			"sentinel failover-timeout " + master + " 3000",
			"",
		}, "\n")
		return []string{config, "--sentinel"}, os.WriteFile(config, []byte(text), 0o644)
	})
}

// await polls server with a command until the reply contains want.
func await(server *RedisServer, want string, command ...string) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return poll(ctx, func() error {
		reply, err := Do(ctx, server.Addr, command...)
		if err != nil {
			return err
		}
		if !strings.Contains(reply, want) {
			return fmt.Errorf("testserver: %s on %s: no %q in %q", strings.Join(command, " "), server.Addr, want, reply)
		}
		return nil
	})
}

// Close ends all three servers.
func (s *RedisSentinelServers) Close() error {
	var errs []error
	for _, server := range []*RedisServer{s.Sentinel, s.Replica, s.Primary} {
		if server != nil {
			errs = append(errs, server.Close())
		}
	}
	return errors.Join(errs...)
}
