package testserver

import (
	"io"
	"testing"
)

// Redis is StartRedis for a test.
func Redis(t testing.TB, args ...string) *RedisServer {
	t.Helper()
	server, err := StartRedis(args...)
	return own(t, server, err)
}

// RedisCluster is StartRedisCluster for a test.
func RedisCluster(t testing.TB, n int) *RedisClusterServers {
	t.Helper()
	server, err := StartRedisCluster(n)
	return own(t, server, err)
}

// RedisSentinel is StartRedisSentinel for a test.
func RedisSentinel(t testing.TB) *RedisSentinelServers {
	t.Helper()
	server, err := StartRedisSentinel()
	return own(t, server, err)
}

// Postgres is StartPostgres for a test.
func Postgres(t testing.TB) *PostgresServer {
	t.Helper()
	server, err := StartPostgres()
	return own(t, server, err)
}

// MariaDB is StartMariaDB for a test.
func MariaDB(t testing.TB) *MariaDBServer {
	t.Helper()
	server, err := StartMariaDB()
	return own(t, server, err)
}

// PostgresReplica is StartPostgresReplica for a test.
func PostgresReplica(t testing.TB, primary *PostgresServer, args ...string) *PostgresServer {
	t.Helper()
	server, err := StartPostgresReplica(primary, args...)
	return own(t, server, err)
}

// own closes the server when the test ends.
func own[S io.Closer](t testing.TB, server S, err error) S {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	return server
}
