package redisstore

import (
	"context"
	"maps"
	"slices"
	"strings"
)

// Probe implements store.Store. Without a session it connects; either way it tests at each
// primary what the protocol builds on. Changed says
// that one of them has a run id that the last good probe did not see: a restart, a failover,
// or a cluster that has grown.
func (s *Store) Probe(ctx context.Context) (changed bool, err error) {
	if err := ctx.Err(); err != nil {
		return false, down(err)
	}
	select {
	case s.probing <- struct{}{}:
		defer func() { <-s.probing }()
	case <-ctx.Done():
		return false, down(ctx.Err())
	}
	if current, err := s.session(); err == nil {
		seen, err := s.inspect(ctx, current)
		if err != nil {
			return false, err
		}
		return s.note(seen), nil
	}
	if s.closed.Load() {
		return false, down(errClosed)
	}
	next, err := guard(ctx, func() (*session, error) {
		return connect(s.opt, s.options, s.pulse, s.lost)
	}, func(late *session) { late.end(errUnproven) })
	if err != nil {
		return false, err
	}
	seen, err := s.inspect(ctx, next)
	if err == nil {
		err = s.use(next)
	}
	if err != nil {
		next.end(err)
		return false, err
	}
	return s.note(seen), nil
}

// Identity implements store.Identified: the run ids of the primaries.
func (s *Store) Identity() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(slices.Sorted(maps.Keys(s.servers)), " ")
}

// inspect looks at the servers of a session, which ends when one of them is not what it
// should be; being slow is another matter.
func (s *Store) inspect(ctx context.Context, c *session) (inspection, error) {
	seen, err := guard(ctx, func() (inspection, error) { return c.inspect(ctx) }, nil)
	if err != nil && ctx.Err() == nil {
		c.end(err)
	}
	return seen, down(err)
}

// use puts a session that has been found good into service.
func (s *Store) use(next *session) error {
	next.ready.Store(true)
	s.current.Store(next)
	switch {
	case s.closed.Load():
		s.current.CompareAndSwap(next, nil)
		return down(errClosed)
	case next.ended.Load(): // before it was ready, so that nobody has been told
		s.current.CompareAndSwap(next, nil)
		return down(errReconnect)
	}
	for _, h := range next.hearts {
		go next.keepProof(h)
	}
	return nil
}

// note remembers what was seen and says whether a server is new.
func (s *Store) note(seen inspection) (changed bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for id := range seen.servers {
		changed = changed || s.servers != nil && !s.servers[id]
	}
	s.servers, s.findings = seen.servers, seen.findings
	return changed
}
