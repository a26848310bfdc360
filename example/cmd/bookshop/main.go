// Command bookshop serves the bookshop's HTTP API.
//
//	bookshop                                  SQLite in a temporary directory, cache in the process
//	bookshop -redis 127.0.0.1:6379            cache on Redis, shared by all processes
//	bookshop -db postgres://user@host/shop    PostgreSQL
//	bookshop -cache=off                       no cache
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/cachegen/cachegen/example/httpapi"
	"github.com/cachegen/cachegen/runtime/sessionhttp"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

type options struct {
	addr, db, redis, cache string
	seed                   int
	load, managed          bool
}

func parse(args []string, stderr io.Writer) (o options, err error) {
	flags := flag.NewFlagSet("bookshop", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&o.addr, "addr", "127.0.0.1:8080", "serve on this `address`")
	flags.StringVar(&o.db, "db", "", "postgres://... or a SQLite `file`; default: a file in a temporary directory")
	flags.StringVar(&o.redis, "redis", "", "keep the cache on the Redis at this `address`; default: in the process")
	flags.StringVar(&o.cache, "cache", "on", "`on` or off")
	flags.IntVar(&o.seed, "seed", 0, "fill an empty shop with this many books")
	flags.BoolVar(&o.load, "load", false, "serve POST /debug/load, which drives the repositories of this process")
	flags.BoolVar(&o.managed, "managed", false, "end when standard input ends, so that no parent leaves us behind")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.cache != "on" && o.cache != "off" || flags.NArg() > 0 {
		flags.Usage()
		return o, errors.New("bookshop: -cache is on or off, and there are no arguments")
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, err := parse(args, stderr)
	if err != nil {
		return 2
	}
	log := slog.New(slog.NewTextHandler(stderr, nil))
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.managed {
		go func() {
			_, _ = io.Copy(io.Discard, stdin)
			cancel()
		}()
	}
	if err := serve(ctx, o, log, stdout); err != nil {
		log.Error("bookshop ends", "err", err)
		return 1
	}
	return 0
}

// serve opens the shop and serves it until ctx ends.
func serve(ctx context.Context, o options, log *slog.Logger, stdout io.Writer) (err error) {
	if o.db == "" {
		dir, err := os.MkdirTemp("", "bookshop-")
		if err != nil {
			return err
		}
		defer os.RemoveAll(dir)
		o.db = filepath.Join(dir, "shop.db")
	}
	shop, err := open(ctx, o, log)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, shop.close()) }()

	mux := http.NewServeMux()
	api := httpapi.New(shop.repos, log)
	if shop.cache != nil { // a customer reads through any process what he wrote through another one
		api = sessionhttp.Handler(shop.cache, api, sessionhttp.Options{})
	}
	mux.Handle("/", api)
	mux.HandleFunc("GET /debug/stats", shop.stats)
	if o.load {
		mux.HandleFunc("POST /debug/load", shop.load)
	}
	listener, err := net.Listen("tcp", o.addr)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "bookshop serves http://%s\n", listener.Addr())
	return serveUntil(ctx, &http.Server{Handler: mux}, listener)
}

// serveUntil serves until ctx ends, and then waits for the requests under way.
func serveUntil(ctx context.Context, server *http.Server, listener net.Listener) error {
	server.BaseContext = func(net.Listener) context.Context { return context.WithoutCancel(ctx) }
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }()
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	patience, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	return server.Shutdown(patience)
}
