package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/example/loadgen"
)

// settledAfter is how old an update must be until every process must see it.
const settledAfter = time.Second

// measured is one column of the table.
type measured struct {
	result       *loadgen.Result
	queries      int64
	hits, misses uint64 // of BookRepo.ByID
}

// driver measures.
type driver struct {
	options
	dir      string
	progress *progress
}

// measure starts the bookshop with the given flags, warms it up, and measures the load.
func (d *driver) measure(ctx context.Context, name string, flags ...string) (m measured, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var shops []*process
	defer func() {
		for _, shop := range shops {
			err = errors.Join(err, shop.stop())
		}
	}()
	d.progress.say(name, "starting the bookshop with %s books", thousands(int64(d.books)))
	for range d.processes() {
		shop, err := start(ctx, d.bookshop, append(flags, "-load", "-managed", "-addr=127.0.0.1:0", "-db="+d.db, fmt.Sprint("-seed=", d.books))...)
		if err != nil {
			return m, err
		}
		shops = append(shops, shop)
	}
	if _, err := d.drive(ctx, name+", warming up", shops, d.warmup); err != nil {
		return m, err
	}
	before, err := total(ctx, shops)
	if err != nil {
		return m, err
	}
	if m.result, err = d.drive(ctx, name, shops, d.duration); err != nil {
		return m, err
	}
	after, err := total(ctx, shops)
	m.queries, m.hits, m.misses = after.queries-before.queries, after.hits-before.hits, after.misses-before.misses
	return m, err
}

// drive puts the load on all processes at once and adds up what they saw.
func (d *driver) drive(ctx context.Context, name string, shops []*process, duration time.Duration) (*loadgen.Result, error) {
	done := make([]atomic.Int64, len(shops))
	stop := d.progress.follow(name, duration, done)
	defer stop()

	var shared *loadgen.Ledger // of the loads that run here
	if d.http {
		shared = loadgen.NewLedger(d.books, settledAfter)
	}
	results, errs := make([]*loadgen.Result, len(shops)), make([]error, len(shops))
	var wg sync.WaitGroup
	for i, shop := range shops {
		wg.Go(func() {
			load := d.load(i, duration)
			if d.http {
				api := loadgen.API{Client: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: load.Workers}}, Base: shop.base}
				results[i], errs[i] = loadgen.Run(ctx, load, api, shared.Process(), &done[i])
				return
			}
			order := loadgen.Order{Config: load, Ledger: filepath.Join(d.dir, "ledger"), Bound: settledAfter}
			results[i], errs[i] = loadgen.Drive(ctx, shop.base, order, &done[i])
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	for _, other := range results[1:] {
		results[0].Add(other)
	}
	return results[0], nil
}

// total adds up the counters of all processes.
func total(ctx context.Context, shops []*process) (m measured, err error) {
	for _, shop := range shops {
		stats, err := loadgen.ReadStats(ctx, shop.base)
		if err != nil {
			return m, err
		}
		m.queries += stats.Queries
		if stats.Cache == nil {
			continue
		}
		for _, method := range stats.Cache.Methods {
			if method.Repo == "books" && method.Method == "ByID" {
				m.hits += method.Hits()
				m.misses += method.Misses + method.Bypasses
			}
		}
	}
	return m, nil
}
