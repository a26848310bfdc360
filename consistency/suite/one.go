package suite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/cachegen/cachegen/consistency/fault"
	"github.com/cachegen/cachegen/consistency/layer"
	"github.com/cachegen/cachegen/consistency/linear"
	"github.com/cachegen/cachegen/consistency/source"
	"github.com/cachegen/cachegen/consistency/trace"
	"github.com/cachegen/cachegen/consistency/work"
	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

const (
	processes = 3
	clients   = 16
	rows      = 600
	hot       = 12
)

// promised are how old an answer may be after an acknowledgement, to the nanosecond, by what
// package items asks for: at bounded and session the default of staleness=. At eventual it is the
// TTL of 2 s, and what may pass between a load and its fill: the time that a call has, and the
// longest silence of the server.
var promised = map[cachecheck.Level]time.Duration{
	cachecheck.Eventual: 2*time.Second + work.Timeout + 2500*time.Millisecond,
	cachecheck.Bounded:  time.Second,
	cachecheck.Session:  time.Second,
}

// One carries out one run, with servers of its own.
func One(ctx context.Context, r Run, o Options) (out Outcome, err error) {
	kind, ok := layer.Find(r.Layer)
	if !ok {
		return out, fmt.Errorf("no layer %q", r.Layer)
	}
	level, err := cachecheck.ParseLevel(r.Level)
	if err != nil {
		return out, err
	}
	s, err := serve(r)
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.source.Fill(ctx, rows); err != nil {
		return out, err
	}
	config := s.config(r, kind, level)
	plan := cachecheck.Plan{
		Program: o.Program, Config: config.String(), Level: level, Processes: processes, Clients: clients, Calls: r.Calls, Seed: o.Seed,
		Seeds: s.source.State, Truth: s.source.State, Faults: s.faults(r, level), Every: o.Every,
		Started: s.site.Started,
	}
	if r.Faults == "outside" {
		plan.Every = s.site.Void + time.Second // some time in between is judged
	}
	if kind.Broken {
		plan.Until = o.Until
	}
	plan.Rules.Explain = func(v cachecheck.Violation) string { return trace.Explain(s.dir, v, touches(v.Read.Object)) }
	for l, d := range promised {
		plan.Rules.Bound[l] = d
	}
	sample := linear.NewSample(source.ItemObject|1, source.ItemObject|2, source.ItemObject|5, source.ItemObject|7,
		source.ShelfObject|1, source.ShelfObject|2, source.NameObject|5, source.NameObject|10)
	if level >= cachecheck.Strict && r.Faults != "outside" {
		plan.Event = sample.Add
	}
	out = Outcome{Run: r, Known: kind.Broken, Bound: promised[level], Near: !kind.Broken && level != cachecheck.Strict}
	if out.Result, err = cachecheck.Run(ctx, plan); err != nil {
		return out, err
	}
	out.Linear, err = sample.Check(o.Keep)
	return out, err
}

// touches recognises the steps that are about an object.
func touches(object uint64) func(string) bool {
	id := object & (1<<56 - 1)
	name := map[uint64]string{source.ItemObject: "item", source.ShelfObject: "shelf", source.NameObject: "name"}[object&^(1<<56-1)]
	return regexp.MustCompile(fmt.Sprintf(`\b%s:%d\b`, name, id)).MatchString
}

// servers are what a run runs on.
type servers struct {
	dir      string
	redis    *testserver.RedisServer
	postgres *testserver.PostgresServer // nil for SQLite
	source   *source.Source
	database string
	site     *fault.Site
}

func serve(r Run) (s *servers, err error) {
	s = &servers{site: &fault.Site{Void: 3 * time.Second}}
	defer func() {
		if err != nil {
			err = errors.Join(err, s.close())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "consistency-"); err != nil {
		return s, err
	}
	if s.redis, err = testserver.StartRedis(); err != nil {
		return s, err
	}
	s.site.Redis = s.redis
	s.site.Owes = func(process uint32) (bool, error) { return trace.Owes(s.dir, process) }
	for range processes {
		p, err := fault.NewProxy(s.redis.Addr)
		if err != nil {
			return s, err
		}
		s.site.Proxies = append(s.site.Proxies, p)
	}
	switch r.Database {
	case "sqlite":
		s.database = filepath.Join(s.dir, "items.db")
	case "postgres":
		if s.postgres, err = testserver.StartPostgres(); err != nil {
			return s, err
		}
		s.database = s.postgres.DSN
		if s.site.DB, err = sql.Open("pgx", s.database); err != nil {
			return s, err
		}
	default:
		return s, fmt.Errorf("no database %q", r.Database)
	}
	s.source, err = source.Open(s.database)
	return s, err
}

func (s *servers) close() error {
	var errs []error
	if s.source != nil {
		errs = append(errs, s.source.Close())
	}
	if s.site.DB != nil {
		errs = append(errs, s.site.DB.Close())
	}
	for _, p := range s.site.Proxies {
		errs = append(errs, p.Close())
	}
	if s.redis != nil {
		errs = append(errs, s.redis.Close())
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Close())
	}
	return errors.Join(append(errs, os.RemoveAll(s.dir))...)
}

// crashes reports whether the death of a writer is within what a level assumes, and so is a write
// of unknown outcome: from bounded down both void its promise until the TTL.
func crashes(r Run, level cachecheck.Level) bool {
	return r.Faults == "within" && level != cachecheck.Bounded
}

func (s *servers) config(r Run, kind layer.Kind, level cachecheck.Level) work.Config {
	c := work.Config{
		Layer: r.Layer, Database: s.database, Namespace: "check", Traces: s.dir,
		Items: rows, Hot: hot, Writes: 2, Rows: kind.Rows, Pause: 400, Abort: 25,
	}
	if kind.Broken { // the less there is to it the sooner it is found out
		c.Writes, c.Pause = 8, 150
	}
	for _, p := range s.site.Proxies {
		c.Redis = append(c.Redis, p.Addr())
	}
	c.Tell = !kind.Broken && r.Faults != "outside" && level >= cachecheck.Strict
	if crashes(r, level) {
		c.Kill, c.Cancel = 200_000, 1000
	}
	return c
}

func (s *servers) faults(r Run, level cachecheck.Level) (faults []cachecheck.Fault) {
	switch r.Faults {
	case "within":
		for _, f := range s.site.Within() {
			if !crashes(r, level) && f.Kills {
				continue
			}
			faults = append(faults, s.site.Judged(f, level == cachecheck.Session && r.Layer == "cachegen"))
		}
	case "outside":
		faults = s.site.Outside()
	}
	return faults
}
