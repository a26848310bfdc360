package testserver

import (
	"context"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestRedisFaults(t *testing.T) {
	s := Redis(t)
	if _, err := s.Do("SET", "k", "a value"); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Do("GET", "k"); got != "a value" || err != nil {
		t.Fatalf("GET k: %q, %v", got, err)
	}

	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Do(ctx, s.Addr, "GET", "k"); err == nil {
		t.Error("a stopped server answered")
	}
	if err := s.Cont(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Do("GET", "k"); got != "a value" || err != nil {
		t.Fatalf("GET k after Cont: %q, %v", got, err)
	}

	if err := s.Kill(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Do("GET", "k"); err == nil {
		t.Error("a killed server answered")
	}
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Do("GET", "k"); got != "" || err != nil {
		t.Fatalf("GET k after Restart: %q, %v, want nothing", got, err)
	}
}

func TestRedisArguments(t *testing.T) {
	s := Redis(t, "--maxmemory-policy", "allkeys-lru")
	if got, err := s.Do("CONFIG", "GET", "maxmemory-policy"); got != "maxmemory-policy\nallkeys-lru" || err != nil {
		t.Errorf("CONFIG GET: %q, %v", got, err)
	}
	if _, err := StartRedis("--no-such-option", "1"); err == nil || !strings.Contains(err.Error(), "no-such-option") {
		t.Errorf("a bad argument: %v, want the server's own words", err)
	}
}

func TestRedisCluster(t *testing.T) {
	c := RedisCluster(t, 3)
	for _, key := range []string{"a", "b", "c", "d", "e"} {
		node, err := c.NodeOf(key)
		if err != nil {
			t.Fatal(err)
		}
		if got, err := node.Do("SET", key, "v"); got != "OK" || err != nil {
			t.Errorf("SET %s on the node it belongs to: %q, %v", key, got, err)
		}
	}
}

func TestRedisSentinelFailsOver(t *testing.T) {
	s := RedisSentinel(t)
	if err := s.Primary.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := await(s.Replica, "role:master", "INFO", "replication"); err != nil {
		t.Error(err)
	}
}

func TestPostgres(t *testing.T) {
	s := Postgres(t)
	bin, err := postgresPrograms()
	if err != nil {
		t.Fatal(err)
	}
	query := func(sql string) string {
		out, err := exec.CommandContext(t.Context(), filepath.Join(bin, "psql"), "-AtX", s.DSN, "-c", sql).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", sql, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	query("create table t (a int); insert into t values (42)")
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := query("select a from t"); got != "42" {
		t.Errorf("after Restart: %q", got)
	}
}

func TestMariaDB(t *testing.T) {
	s := MariaDB(t)
	host, port, err := net.SplitHostPort(s.Addr)
	if err != nil {
		t.Fatal(err)
	}
	query := func(sql string) string {
		out, err := exec.CommandContext(t.Context(), "mariadb", "--no-defaults", "--protocol=tcp", "-h", host, "-P", port, "-u", "root", "-N", "-B", "test", "-e", sql).CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", sql, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	query("create table t (a int); insert into t values (42)")
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := query("select a from t"); got != "42" {
		t.Errorf("after Restart: %q", got)
	}
}

func TestCloseEndsTheProcessAndRemovesItsDirectory(t *testing.T) {
	s, err := StartRedis()
	if err != nil {
		t.Fatal(err)
	}
	pid := s.PID()
	for range 2 {
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := syscall.Kill(pid, 0); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("signal to %d after Close: %v", pid, err)
	}
	if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("directory after Close: %v", err)
	}
}

func TestMissingProgramNamesTheCure(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	if _, err := StartRedis(); err == nil || !strings.Contains(err.Error(), "apt-get install redis-server") {
		t.Errorf("without redis-server: %v", err)
	}
}
