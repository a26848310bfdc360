package redisstore

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/runtime/store"
	"github.com/redis/rueidis"
)

// Probe implements store.Store: it connects if need be, compares the servers' run ids with
// those seen last, and tests after each reconnection what the protocol builds on.
func (s *Store) Probe(ctx context.Context) (bool, error) {
	type result struct {
		changed bool
		err     error
	}
	done := make(chan result, 1)
	go func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		changed, err := s.probe(ctx)
		done <- result{changed, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return false, fmt.Errorf("%w: %w", store.ErrDown, r.err)
		}
		return r.changed, nil
	case <-ctx.Done():
		return false, fmt.Errorf("%w: %w", store.ErrDown, ctx.Err())
	}
}

func (s *Store) probe(ctx context.Context) (changed bool, err error) {
	if s.closed.Load() {
		return false, errors.New("closed")
	}
	if err := s.connect(); err != nil {
		return false, err
	}
	c := *s.client.Load()
	infos, err := serverInfos(ctx, c)
	if err != nil {
		return false, err
	}
	var ids []string
	for _, info := range infos {
		ids = append(ids, info["run_id"])
	}
	slices.Sort(ids)
	if err := s.selfTest(ctx, c, infos); err != nil {
		return false, err
	}
	runs := strings.Join(ids, " ")
	changed = s.runs != "" && s.runs != runs
	s.runs = runs
	return changed, nil
}

// connect makes the client. A server without RESP3 or tracking gets one without a
// client-side cache: every read asks it then.
func (s *Store) connect() error {
	if s.client.Load() != nil {
		return nil
	}
	c, err := rueidis.NewClient(s.opt)
	if errors.Is(err, rueidis.ErrNoCache) {
		opt := s.opt
		opt.DisableCache = true
		opt.NewCacheStoreFn = nil
		c, err = rueidis.NewClient(opt)
	}
	if err != nil {
		return err
	}
	s.client.Store(&c)
	return nil
}

// serverInfos asks each primary for its INFO.
func serverInfos(ctx context.Context, c rueidis.Client) ([]map[string]string, error) {
	var infos []map[string]string
	for addr, node := range c.Nodes() {
		text, err := node.Do(ctx, node.B().Info().Build()).ToString()
		if err != nil {
			return nil, fmt.Errorf("%s: %w", addr, err)
		}
		info := map[string]string{"addr": addr}
		for line := range strings.Lines(text) {
			if k, v, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				info[k] = v
			}
		}
		if info["role"] == "master" || len(c.Nodes()) == 1 {
			infos = append(infos, info)
		}
	}
	if len(infos) == 0 {
		return nil, errors.New("no primary among the nodes")
	}
	return infos, nil
}

// selfTest looks at what the protocol builds on and says what is missing.
func (s *Store) selfTest(ctx context.Context, c rueidis.Client, infos []map[string]string) error {
	works, err := s.trackingWorks(ctx, c)
	if err != nil {
		return err
	}
	s.near.Store(works)
	var found []store.Finding
	if !works {
		found = append(found, store.Finding{Code: "tracking", Degraded: true,
			Text: "client-side caching does not work here (RESP3 with CLIENT TRACKING is needed): reads are right, but each of them asks the store; use a server that allows CLIENT TRACKING"})
	}
	for _, info := range infos {
		found = append(found, judge(info)...)
	}
	s.findings.Store(&found)
	return nil
}

func judge(info map[string]string) (found []store.Finding) {
	add := func(code string, degraded bool, format string, args ...any) {
		found = append(found, store.Finding{Code: code, Degraded: degraded, Text: info["addr"] + ": " + fmt.Sprintf(format, args...)})
	}
	switch policy := info["maxmemory_policy"]; {
	case strings.HasPrefix(policy, "allkeys-"):
		add("eviction", true, "maxmemory-policy is %s: under memory pressure the mark of a write in progress may be evicted, and a reader may then keep the old value; use noeviction", policy)
	case strings.HasPrefix(policy, "volatile-"):
		add("eviction", true, "maxmemory-policy is %s, and marks expire too: under memory pressure the mark of a write in progress may be evicted; use noeviction", policy)
	}
	major, _, _ := strings.Cut(info["redis_version"], ".")
	if n, err := strconv.Atoi(major); err == nil && n < 7 {
		add("version", false, "Redis %s: tested with 7.0 and later", info["redis_version"])
	}
	if info["role"] != "master" {
		add("replica", true, "this is a %s: writes fail and reads lag; connect to the primary", info["role"])
	}
	return found
}

// trackingWorks changes a tracked key and looks whether the push arrived in order.
func (s *Store) trackingWorks(ctx context.Context, c rueidis.Client) (bool, error) {
	key := fmt.Sprintf("cachegen:{selftest-%x}", rand.Uint64())
	set := func(v string) rueidis.Completed {
		return c.B().Set().Key(key).Value(v).ExSeconds(10).Build()
	}
	if err := c.Do(ctx, set("g1")).Error(); err != nil {
		return false, err
	}
	if err := c.DoCache(ctx, c.B().Get().Key(key).Cache(), backstop).Error(); err != nil {
		return false, err
	}
	cell, ok := s.tracked(key)
	if !ok {
		return false, nil
	}
	for _, res := range c.DoMulti(ctx, set("g2"), c.B().Exists().Key(key).Build()) {
		if err := res.Error(); err != nil {
			return false, err
		}
	}
	return !cell.Live.Alive(), nil
}
