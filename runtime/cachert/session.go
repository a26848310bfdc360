package cachert

import (
	"context"
	"sync"
	"time"
)

// Session is what one user of an application has written and read lately, through any process:
// what reads of this user must not be older than. A context from WithSession carries it. It
// travels between processes as a Token, in a cookie or header; package sessionhttp does that.
//
// A process knows of its own writes. Of those of others it is told by pushes, which may be
// late, so that without a session:
//
//  1. a user's request is served by process 1: it changes a row, and is answered
//  2. the user's next request comes to process 2, where the push has not arrived
//  3. process 2 finds the row near, with all promises alive, and shows what was there before
//
// A read with a session that has something noted about its object does not believe the near
// cache by itself: it asks the store, and is then right as any read that does. It pays that
// round trip until what is near was confirmed after the note came, or no process answers near
// with anything from before it (the longest bound of its reads). Where a write could not be told to the store such
// reads ask the source; docs/guarantees.md says until when.
//
// All methods are safe for concurrent use; those of a nil Session do nothing.
type Session struct {
	cache *Cache

	mu   sync.Mutex
	told map[uint64]note // guarded by mu
	open map[uint64]note // guarded by mu: cells whose change the store may not know of
}

// note is about the cell or the object with one hash. A collision costs a round trip.
type note struct {
	// period proves that an entry kept near is new enough: it is the hash of the generation
	// which the write gave the cell, or of all those the object was read under. Where there is
	// none it names the process that noted it, which needs no proof; 0: nothing will do.
	period uint64
	// until is when the note is of no use any more, and after, for a cell that is open, when
	// the write was over: a generation made later than that was made because of it or since.
	// Both are wall clock, the writer's.
	until, after time.Time
	// at is when this process came to know it, by its own clock.
	at  time.Time
	own bool // it has noted it itself, in this Session
}

const (
	maxTold    = 32
	maxOpen    = 16
	everything = 0 // the hash under which stands what is about all cells and objects
)

// NewSession returns a Session that begins with what token says; "" says nothing. A token
// that is malformed, or not of this version, is ignored and counted: it may come from
// anywhere, and the worst that one can do is to cost whoever sends it round trips and loads.
func (c *Cache) NewSession(token string) *Session {
	c.sessions.Store(true)
	s := &Session{cache: c, told: map[uint64]note{}, open: map[uint64]note{}}
	s.Add(token)
	return s
}

type sessionKey struct{}

// WithSession returns a context whose reads and writes belong to s. It serves repositories of
// any Cache whose processes share a clock as Options.ClockSkew says.
func WithSession(ctx context.Context, s *Session) context.Context {
	return context.WithValue(ctx, sessionKey{}, s)
}

// SessionFrom returns the Session that ctx carries, or nil.
func SessionFrom(ctx context.Context) *Session {
	s, _ := ctx.Value(sessionKey{}).(*Session)
	return s
}

// Add takes in what another token says, such as one that a service has answered with which
// acted on behalf of this session.
func (s *Session) Add(token string) {
	if s == nil || token == "" {
		return
	}
	told, open, err := parseToken(token)
	if err != nil {
		s.cache.tokensIgnored.Add(1)
		return
	}
	now := s.cache.now()
	limit := now.Add(s.cache.cellTTL() + s.cache.opt.Lease) // whatever it says, no entry lives longer
	s.mu.Lock()
	defer s.mu.Unlock()
	for hash, n := range told {
		n.at, n.until = now, earlier(n.until, limit)
		old, known := s.told[hash]
		if known && old.period == n.period {
			n.at = old.at
		} else if known { // which one is newer is not known
			n.period = 0
		}
		n.until = later(n.until, old.until)
		s.told[hash] = n
	}
	for hash, n := range open {
		old := s.open[hash]
		s.open[hash] = note{
			until: later(earlier(n.until, limit), old.until),
			after: later(earlier(n.after, limit), old.after),
		}
	}
	s.shorten(now)
}

// Token returns the session as an opaque string of letters, digits, '-' and '_', at most 2 kB
// long; "" when there is nothing to say. It holds hashes and times, no names and no values.
// What is written after the call is not in it.
func (s *Session) Token() string {
	if s == nil {
		return ""
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shorten(s.cache.now())
	return formatToken(s.told, s.open)
}

// Until is when the token will have nothing to say any more, by the wall clock; the zero Time
// when it has nothing now. It may be thrown away then.
func (s *Session) Until() (last time.Time) {
	if s == nil {
		return last
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shorten(s.cache.now())
	for _, notes := range []map[uint64]note{s.told, s.open} {
		for _, n := range notes {
			last = later(last, n.until)
		}
	}
	return last
}

// shorten forgets what is of no use any more. When too much is left, one note about
// everything stands for it. The caller holds mu.
func (s *Session) shorten(now time.Time) {
	for _, notes := range []map[uint64]note{s.told, s.open} {
		for hash, n := range notes {
			if now.After(n.until) {
				delete(notes, hash)
			}
		}
	}
	if len(s.told) > maxTold {
		s.told = map[uint64]note{everything: s.unite(s.told)}
	}
	if len(s.open) > maxOpen {
		s.open = map[uint64]note{everything: s.unite(s.open)}
	}
}

// unite is one note that says at least what all of them say.
func (s *Session) unite(notes map[uint64]note) (all note) {
	all = note{period: s.cache.id, own: true}
	for _, n := range notes {
		if !n.own && n.period != s.cache.id {
			all.period, all.own = 0, false
		}
		all.until, all.after, all.at = later(all.until, n.until), later(all.after, n.after), later(all.at, n.at)
	}
	return all
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// hashOf is FNV-1a, the same in all processes, and never that of everything.
func hashOf(parts ...string) uint64 {
	h := uint64(14695981039346656037)
	for _, p := range parts {
		for i := range len(p) {
			h = (h ^ uint64(p[i])) * 1099511628211
		}
	}
	return max(h, 1)
}
