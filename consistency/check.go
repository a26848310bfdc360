package main

import (
	"context"
	"fmt"
	"io"

	"github.com/cachegen/cachegen/consistency/source"
	"github.com/cachegen/cachegen/consistency/work"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

type options struct {
	layer, level       string
	calls, seed        uint64
	processes, clients int
}

func check(ctx context.Context, o options, out io.Writer) (clean bool, err error) {
	level, err := cachecheck.ParseLevel(o.level)
	if err != nil {
		return false, err
	}
	pg, err := testserver.StartPostgres()
	if err != nil {
		return false, err
	}
	defer pg.Close()
	redis, err := testserver.StartRedis()
	if err != nil {
		return false, err
	}
	defer redis.Close()
	src, err := source.Open(pg.DSN)
	if err != nil {
		return false, err
	}
	defer src.Close()
	config := work.Config{
		Layer: o.layer, Database: pg.DSN, Redis: []string{redis.Addr}, Namespace: "check",
		Items: 1000, Hot: 12, Writes: 5, Pause: 300, Cancel: 2000, Abort: 20,
		Kill: 200000,
	}
	if err := src.Fill(ctx, config.Items); err != nil {
		return false, err
	}
	r, err := cachecheck.Run(ctx, cachecheck.Plan{
		Config: config.String(), Level: level, Processes: o.processes, Clients: o.clients, Calls: o.calls, Seed: o.seed,
		Seeds: src.State, Truth: src.State,
	})
	if err != nil {
		return false, err
	}
	fmt.Fprintf(out, "%+v\n", r.Total())
	fmt.Fprintln(out, "kills", r.Kills, "notes", r.Notes, "stats", r.Stats, "unsettled", r.Unsettled, "took", r.Took)
	for i, v := range r.Violations {
		if i < 2 {
			fmt.Fprintln(out, v)
		}
	}
	return r.Broken() == 0, nil
}
