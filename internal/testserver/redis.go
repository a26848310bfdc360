package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// RedisServer is a running redis-server. Its methods PID, Kill, Stop, Cont, Restart and
// Close come from the process behind it.
type RedisServer struct {
	*process
	// Addr is host:port, kept over restarts.
	Addr string
}

// StartRedis starts a Redis server that keeps nothing on disk, with args added to its
// command line ("--maxmemory", "10mb").
func StartRedis(args ...string) (*RedisServer, error) {
	return startRedis("cachegen-redis-", func(port, dir string) ([]string, error) {
		return append(redisArgs(port, dir), args...), nil
	})
}

// startRedis starts the redis-server program on a free port in a directory of its own, with
// the arguments that command makes for them.
func startRedis(prefix string, command func(port, dir string) ([]string, error)) (*RedisServer, error) {
	path, err := redisProgram()
	if err != nil {
		return nil, err
	}
	var addr string
	p, err := startOnFreePort(func(port string) (*process, error) {
		dir, err := os.MkdirTemp("", prefix)
		if err != nil {
			return nil, fmt.Errorf("testserver: %w", err)
		}
		args, err := command(port, dir)
		if err != nil {
			return nil, fmt.Errorf("testserver: %w", err)
		}
		addr = net.JoinHostPort("127.0.0.1", port)
		return &process{
			path:   path,
			args:   args,
			dir:    dir,
			polite: syscall.SIGTERM,
			ready:  func(ctx context.Context) error { return ping(ctx, addr) },
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return &RedisServer{process: p, Addr: addr}, nil
}

func redisArgs(port, dir string) []string {
	return []string{
		"--bind", "127.0.0.1",
		"--port", port,
		"--dir", dir,
		"--save", "",
		"--appendonly", "no",
		"--repl-diskless-sync-delay", "0",
	}
}

// Do sends one command to this server; see the function Do.
func (s *RedisServer) Do(args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return Do(ctx, s.Addr, args...)
}

// ping is nil when the server answers at all: one that wants a password has started too.
func ping(ctx context.Context, addr string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	_, err := Do(ctx, addr, "PING")
	if err != nil && strings.Contains(err.Error(), "NOAUTH") {
		return nil
	}
	return err
}

func redisProgram() (string, error) {
	path, err := exec.LookPath("redis-server")
	if err != nil {
		return "", errors.New("testserver: redis-server is not installed: apt-get install redis-server (make test does it where it can)")
	}
	return path, nil
}
