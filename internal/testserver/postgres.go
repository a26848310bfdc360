package testserver

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
)

// PostgresServer is a running PostgreSQL with a new, empty database. Its methods PID, Kill,
// Stop, Cont, Restart and Close come from the process behind it; Stop freezes the postmaster
// alone: new connections hang, those that exist go on.
type PostgresServer struct {
	*process
	// DSN is the connection URL of the superuser, who needs no password.
	DSN string
}

// StartPostgres makes a database cluster and serves it without any durability. PostgreSQL
// refuses to run as root: then it runs as the user "postgres".
func StartPostgres() (*PostgresServer, error) {
	bin, err := postgresPrograms()
	if err != nil {
		return nil, err
	}
	as, err := serverUser("postgres")
	if err != nil {
		return nil, err
	}
	return servePostgres(bin, as, func() (string, error) { return initdb(bin, as) })
}

// servePostgres serves the folder "data" of the directory that make makes.
func servePostgres(bin string, as *syscall.Credential, make func() (dir string, err error), args ...string) (*PostgresServer, error) {
	var dsn string
	p, err := startOnFreePort(func(port string) (*process, error) {
		dir, err := make()
		if err != nil {
			return nil, err
		}
		dsn = "postgres://postgres@127.0.0.1:" + port + "/postgres?sslmode=disable"
		return &process{
			path: filepath.Join(bin, "postgres"),
			args: append([]string{
				"-D", filepath.Join(dir, "data"),
				"-p", port,
				"-c", "listen_addresses=127.0.0.1",
				"-c", "unix_socket_directories=" + dir,
				"-c", "fsync=off",
				"-c", "synchronous_commit=off",
				"-c", "full_page_writes=off",
			}, args...),
			dir:    dir,
			user:   as,
			polite: syscall.SIGINT,
			ready: func(ctx context.Context) error {
				return exec.CommandContext(ctx, filepath.Join(bin, "pg_isready"), "-q", "-h", "127.0.0.1", "-p", port).Run()
			},
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return &PostgresServer{process: p, DSN: dsn}, nil
}

// initdb makes a database cluster in the folder "data" of a new directory.
func initdb(bin string, as *syscall.Credential) (dir string, err error) {
	return makeData(bin, as, "initdb",
		"-U", "postgres",
		"--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C",
	)
}

// makeData runs a program that makes the folder "data", which it is given with -D, in a new
// directory.
func makeData(bin string, as *syscall.Credential, program string, args ...string) (dir string, err error) {
	dir, err = privateDir("cachegen-postgres-", as)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(filepath.Join(bin, program), append([]string{"-D", filepath.Join(dir, "data")}, args...)...)
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("testserver: %s: %w\n%s", program, err, out), os.RemoveAll(dir))
	}
	return dir, nil
}

// postgresPrograms returns the folder of the newest server: Debian keeps each version in a
// folder of its own and off the PATH.
func postgresPrograms() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", fmt.Errorf("testserver: %w", err)
	}
	if len(found) > 0 {
		newest := slices.MaxFunc(found, func(a, b string) int { return cmp.Compare(version(a), version(b)) })
		return filepath.Dir(newest), nil
	}
	if path, err := exec.LookPath("initdb"); err == nil {
		return filepath.Dir(path), nil
	}
	return "", errors.New("testserver: PostgreSQL is not installed: apt-get install postgresql (make test does it where it can)")
}

// version reads 15 from /usr/lib/postgresql/15/bin/initdb.
func version(initdb string) float64 {
	v, _ := strconv.ParseFloat(filepath.Base(filepath.Dir(filepath.Dir(initdb))), 64)
	return v
}
