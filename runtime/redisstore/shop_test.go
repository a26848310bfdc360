package redisstore_test

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/redisstore"
)

// shelf is the source: each book is its version, which grows with each commit.
type shelf struct {
	mu       sync.Mutex
	versions map[int64]int64
	loads    atomic.Int64
}

func newShelf() *shelf { return &shelf{versions: map[int64]int64{}} }

func (s *shelf) version(id int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.versions[id]
}

func (s *shelf) commit(id int64) int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.versions[id]++
	return s.versions[id]
}

// shop is one process over the shelf and a store.
type shop struct {
	*cachert.Cache
	t      *testing.T
	shelf  *shelf
	reader *cachert.Reader[int64]
	writer *cachert.Writer
}

// plan says what a shop is to be like; the zero value is a strict one.
type plan struct {
	level   cachert.Level
	client  rueidis.ClientOption
	options redisstore.Options
	cache   cachert.Options
}

var versionCodec = cachert.Codec[int64]{
	Append: func(b []byte, v int64) ([]byte, error) { return strconv.AppendInt(b, v, 10), nil },
	Decode: func(b []byte) (int64, error) { return strconv.ParseInt(string(b), 10, 64) },
}

// openShop opens one more process, which trusts its store when it returns.
func openShop(t *testing.T, s *shelf, p plan, addrs ...string) *shop {
	t.Helper()
	if p.client.InitAddress == nil {
		p.client.InitAddress = addrs
	}
	st, err := redisstore.New(p.client, p.options)
	if err != nil {
		t.Fatal(err)
	}
	if p.cache.StoreTimeout == 0 {
		p.cache.StoreTimeout = 2 * time.Second // a slow machine is not what is tested
	}
	if p.cache.Lease == 0 {
		p.cache.Lease = time.Minute
	}
	if p.cache.Namespace == "" {
		p.cache.Namespace = "ns"
	}
	p.cache.Store = st
	p.cache.Logger = slog.New(slog.NewTextHandler(io.Discard, nil))
	cache, err := cachert.Open(p.cache)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	if p.level == cachert.LevelDefault {
		p.level = cachert.LevelStrict
	}
	repo := cache.Repo(cachert.RepoPolicy{Name: "books"})
	out := &shop{
		Cache: cache, t: t, shelf: s,
		reader: cachert.NewReader(repo, cachert.ReadPolicy[int64]{Method: "ByID", Key: "ByID", Schema: "1", Level: p.level, TTL: time.Hour, Codec: versionCodec}),
		writer: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Update", Level: p.level}),
	}
	out.trusts()
	return out
}

// trusts waits until the store is trusted and nothing is owed to it.
func (s *shop) trusts() {
	s.t.Helper()
	if err := s.Drain(within(s.t, 20*time.Second)); err != nil {
		s.t.Fatal(err)
	}
}

func bookTag(id int64) func(*cachert.Tags) {
	return func(t *cachert.Tags) { t.Tag("books/book").Int(id) }
}

// read returns the version of a book; during, if not nil, runs between the source's answer
// and the end of the load. Readers see no error, whatever happens.
func (s *shop) read(ctx context.Context, id int64, during ...func()) int64 {
	s.t.Helper()
	v, err := s.reader.Get(ctx, cachert.Call[int64]{Key: cachert.NewArgs().Int(id), Tags: bookTag(id)}, func(context.Context) (int64, error) {
		s.shelf.loads.Add(1)
		v := s.shelf.version(id)
		for _, f := range during {
			f()
		}
		return v, nil
	})
	if err != nil {
		s.t.Errorf("a reader sees an error: %v", err)
	}
	return v
}

// fresh reads a book and fails the test when its version is older than it may be.
func (s *shop) fresh(id, atLeast int64) {
	s.t.Helper()
	if got := s.read(s.t.Context(), id); got < atLeast {
		s.t.Errorf("book %d: version %d after %d", id, got, atLeast)
	}
}

// cached waits until a read is answered by the cache, which must be with this version.
func (s *shop) cached(id, want int64) {
	s.t.Helper()
	await(s.t, func() bool {
		s.read(s.t.Context(), id)
		s.trusts() // the fill; what has changed hands may be lost once more
		before := s.shelf.loads.Load()
		got := s.read(s.t.Context(), id)
		if s.shelf.loads.Load() != before {
			return false
		}
		if got != want {
			s.t.Errorf("book %d: version %d from the cache, want %d", id, got, want)
		}
		return true
	})
}

// write commits the next version of a book, with something before and after the commit.
func (s *shop) write(ctx context.Context, id int64, before, after func()) (v int64, err error) {
	err = s.writer.Do(ctx, cachert.Change{Tags: bookTag(id), Run: func(context.Context) error {
		if before != nil {
			before()
		}
		v = s.shelf.commit(id)
		if after != nil {
			after()
		}
		return nil
	}})
	return v, err
}

// mustWrite is write without anything else, which may be refused while the store is lost.
func (s *shop) mustWrite(id int64) int64 {
	s.t.Helper()
	for ctx := within(s.t, 20*time.Second); ; {
		v, err := s.write(s.t.Context(), id, nil, nil)
		if err == nil {
			return v
		}
		if !errors.Is(err, cachert.ErrRefused) || ctx.Err() != nil {
			s.t.Fatal(err)
		}
		s.trusts()
	}
}

func (s *shop) stat(method string) cachert.MethodStats {
	for _, m := range s.Stats().Methods {
		if m.Method == method {
			return m
		}
	}
	return cachert.MethodStats{}
}

// promote makes a replica the primary, as an operator or a Sentinel does.
func promote(t *testing.T, replica *testserver.RedisServer) {
	t.Helper()
	must(t, replica, "REPLICAOF", "NO", "ONE")
}
