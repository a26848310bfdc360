package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"time"

	"github.com/redis/rueidis"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/example/loadgen"
	"github.com/cachegen/cachegen/example/sqlstore"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/redisstore"
)

// shop is what the process works with.
type shop struct {
	db    *sqlstore.DB
	cache *cachert.Cache // nil: off
	repos bookshop.Repos
}

// open opens the database and puts the cache in front of it.
func open(ctx context.Context, o options, log *slog.Logger) (*shop, error) {
	db, err := sqlstore.Open(ctx, o.db)
	if err != nil {
		return nil, err
	}
	s := &shop{db: db, repos: db.Repos()}
	if _, err := db.Seed(ctx, o.seed); err != nil {
		return nil, errors.Join(err, s.close())
	}
	if o.cache == "off" {
		return s, nil
	}
	if s.cache, err = openCache(o.redis, log); err != nil {
		return nil, errors.Join(err, s.close())
	}
	s.repos = bookshop.Cached(s.repos, s.cache)
	return s, nil
}

// openCache opens a cache on the Redis at addr, or one of this process when addr is empty.
func openCache(addr string, log *slog.Logger) (*cachert.Cache, error) {
	o := cachert.Options{Namespace: "bookshop", Logger: log}
	if addr != "" {
		store, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{addr}}, redisstore.Options{})
		if err != nil {
			return nil, err
		}
		o.Store = store
	}
	return cachert.Open(o)
}

// close delivers what the cache still owes its store, and closes everything.
func (s *shop) close() error {
	var errs []error
	if s.cache != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		errs = append(errs, s.cache.Drain(ctx), s.cache.Close())
	}
	return errors.Join(append(errs, s.db.Close())...)
}

// stats answers GET /debug/stats.
func (s *shop) stats(w http.ResponseWriter, _ *http.Request) {
	now := loadgen.Stats{Queries: s.db.Queries()}
	if s.cache != nil {
		stats := s.cache.Stats()
		now.Cache = &stats
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(now) // the client went away
}
