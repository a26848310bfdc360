package testserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// MariaDBServer is a running MariaDB with an empty database "test". Its methods PID, Kill, Stop,
// Cont, Restart and Close come from the process behind it.
type MariaDBServer struct {
	*process
	// Addr is host:port, kept over restarts. The user "root" needs no password.
	Addr string
}

// StartMariaDB makes a data directory and serves it with little durability. MariaDB refuses to
// run as root: then it runs as the user "mysql".
func StartMariaDB() (*MariaDBServer, error) {
	server, install, admin, err := mariadbPrograms()
	if err != nil {
		return nil, err
	}
	as, err := serverUser("mysql")
	if err != nil {
		return nil, err
	}
	var addr string
	p, err := startOnFreePort(func(port string) (*process, error) {
		dir, err := installMariaDB(install, as)
		if err != nil {
			return nil, err
		}
		addr = net.JoinHostPort("127.0.0.1", port)
		return &process{
			path: server,
			args: []string{
				"--no-defaults",
				"--datadir=" + filepath.Join(dir, "data"),
				"--socket=" + filepath.Join(dir, "socket"),
				"--pid-file=" + filepath.Join(dir, "pid"),
				"--bind-address=127.0.0.1", "--port=" + port, "--skip-networking=0",
				"--innodb-flush-log-at-trx-commit=0", "--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M",
			},
			dir:    dir,
			user:   as,
			polite: syscall.SIGTERM,
			ready: func(ctx context.Context) error {
				return exec.CommandContext(ctx, admin, "--no-defaults", "--protocol=tcp", "-h", "127.0.0.1", "-P", port, "-u", "root", "ping").Run()
			},
		}, nil
	})
	if err != nil {
		return nil, err
	}
	return &MariaDBServer{process: p, Addr: addr}, nil
}

// installMariaDB makes the system tables in the folder "data" of a new directory.
func installMariaDB(program string, as *syscall.Credential) (dir string, err error) {
	dir, err = privateDir("cachegen-mariadb-", as)
	if err != nil {
		return "", err
	}
	cmd := exec.Command(program, "--no-defaults", "--datadir="+filepath.Join(dir, "data"),
		"--auth-root-authentication-method=normal", "--skip-name-resolve",
		"--innodb-buffer-pool-size=16M", "--innodb-log-file-size=8M", "--innodb-flush-log-at-trx-commit=0")
	cmd.Dir = dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: as}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", errors.Join(fmt.Errorf("testserver: mariadb-install-db: %w\n%s", err, out), os.RemoveAll(dir))
	}
	return dir, nil
}

// mariadbPrograms finds the server, which Debian keeps off the PATH of users, and its tools.
func mariadbPrograms() (server, install, admin string, err error) {
	find := func(name string) string {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
		if path := filepath.Join("/usr/sbin", name); isFile(path) {
			return path
		}
		err = errors.New("testserver: MariaDB is not installed: apt-get install mariadb-server (make test does it where it can)")
		return ""
	}
	return find("mariadbd"), find("mariadb-install-db"), find("mariadb-admin"), err
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular()
}
