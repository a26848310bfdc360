// Command demo shows what the cache does for the bookshop, and checks that it does nothing
// else. It starts the bookshop without a cache and then with one, drives both with the same
// load (package loadgen), and prints one table. It needs nothing but Go; with -redis it
// starts a redis-server and two processes of the bookshop that share it, with -postgres a
// PostgreSQL in place of the local file.
//
// The load runs inside the bookshop's own processes and calls the repository that the HTTP
// handlers call, because on one machine HTTP and JSON cost more than what is compared. With
// -http it goes over HTTP instead.
//
// The exit code is 1 when a read was stale or a call failed.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cachegen/cachegen/example/loadgen"
	"github.com/cachegen/cachegen/internal/testserver"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

type options struct {
	redis, postgres  bool
	http             bool
	db, bookshop     string
	books, callers   int
	warmup, duration time.Duration
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.BoolVar(&o.redis, "redis", false, "start a redis-server, and two processes that share it")
	flags.BoolVar(&o.postgres, "postgres", false, "start a PostgreSQL for the books")
	flags.BoolVar(&o.http, "http", false, "drive the HTTP API instead of the repository")
	flags.StringVar(&o.db, "db", "", "an empty PostgreSQL database (postgres://...); default: SQLite in a temporary directory")
	flags.StringVar(&o.bookshop, "bookshop", "", "the bookshop's `program`; default: it is built")
	flags.IntVar(&o.books, "books", 100_000, "number of books")
	flags.IntVar(&o.callers, "callers", 8, "callers in all processes together")
	flags.DurationVar(&o.warmup, "warmup", 5*time.Second, "load before measuring")
	flags.DurationVar(&o.duration, "duration", 8*time.Second, "time measured, without and with the cache each")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.postgres && o.db != "" {
		return o, errors.New("demo: -postgres starts a database of its own, -db names another")
	}
	if flags.NArg() > 0 {
		return o, fmt.Errorf("demo: unknown argument %q", flags.Arg(0))
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 2
	}
	err = demo(ctx, o, stdout, stderr)
	switch {
	case ctx.Err() != nil:
		fmt.Fprintln(stderr, "demo: interrupted")
		return 1
	case err != nil:
		fmt.Fprintln(stderr, "demo:", err)
		return 1
	}
	return 0
}

// demo measures without and with the cache, and prints the table.
func demo(ctx context.Context, o options, stdout, stderr io.Writer) (err error) {
	dir, err := os.MkdirTemp("", "bookshop-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if o.postgres {
		server, err := testserver.StartPostgres()
		if err != nil {
			return err
		}
		defer server.Close()
		o.db = server.DSN
	}
	if o.db == "" {
		o.db = filepath.Join(dir, "shop.db")
	}
	d := &driver{options: o, dir: dir, progress: newProgress(stderr)}
	if o.bookshop == "" {
		if d.bookshop, err = build(ctx, dir); err != nil {
			return err
		}
	}
	redis := ""
	if o.redis {
		server, err := testserver.StartRedis()
		if err != nil {
			return err
		}
		defer server.Close()
		redis = server.Addr
	}
	without, err := d.measure(ctx, "without cache", "-cache=off")
	if err != nil {
		return err
	}
	with, err := d.measure(ctx, "with cache", "-redis="+redis)
	if err != nil {
		return err
	}
	printTable(stdout, o, without, with)
	return errors.Join(without.result.Check(), with.result.Check())
}

// processes is how many processes of the bookshop there are.
func (o options) processes() int {
	if o.redis {
		return 2
	}
	return 1
}

// load is the share of one process in a load.
func (o options) load(process int, duration time.Duration) loadgen.Config {
	return loadgen.Config{
		Books: o.books, Workers: max(1, o.callers/o.processes()), Theta: 0.99, Reads: 0.95,
		Duration: duration, Seed: uint64(process),
	}
}
