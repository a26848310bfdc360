package testserver

import (
	"fmt"
	"net/url"
)

// StartPostgresReplica copies a running server and follows it from there on, read-only. More
// arguments are for the program, such as
//
//	"-c", "recovery_min_apply_delay=1s"
//
// which keeps the replica behind by that much. Close the replica before its primary.
func StartPostgresReplica(primary *PostgresServer, args ...string) (*PostgresServer, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	as, err := serverUser("postgres")
	if err != nil {
		return nil, err
	}
	at, err := url.Parse(primary.DSN)
	if err != nil {
		return nil, fmt.Errorf("testserver: %w", err)
	}
	return servePostgres(bin, as, func() (string, error) {
		return makeData(bin, as, "pg_basebackup",
			"-h", at.Hostname(), "-p", at.Port(), "-U", "postgres",
			"--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync",
		)
	}, args...)
}
