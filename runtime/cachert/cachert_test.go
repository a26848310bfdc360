package cachert

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// book is the test's entity; tags make it something a caller could mutate.
type book struct {
	ID, Author, Version int64
	Tags                []string
}

var errNotFound = errors.New("book not found")

var bookCodec = Codec[*book]{
	Append: func(b []byte, v *book) ([]byte, error) {
		if v == nil {
			return append(b, 0), nil
		}
		b = append(b, 1)
		for _, n := range []int64{v.ID, v.Author, v.Version} {
			b = binary.AppendVarint(b, n)
		}
		for _, t := range v.Tags {
			b = appendString(b, t)
		}
		return b, nil
	},
	Decode: func(b []byte) (*book, error) {
		p := parser{b: b}
		if p.byte() == 0 {
			return nil, nil
		}
		v := &book{ID: p.varint(), Author: p.varint(), Version: p.varint()}
		for len(p.b) > 0 && !p.bad {
			v.Tags = append(v.Tags, p.string())
		}
		if p.bad {
			return nil, errEnvelope
		}
		return v, nil
	},
	Clone: func(v *book) *book {
		if v == nil {
			return nil
		}
		c := *v
		c.Tags = append([]string(nil), v.Tags...)
		return &c
	},
}

// shop is a source with one wrapper over it. hook, if set, runs inside each load between
// reading the database and returning.
type shop struct {
	t     testing.TB
	cache *Cache
	st    *memstore.Store

	mu    sync.Mutex
	rows  map[int64]book
	loads int
	hook  func()

	byID   *Reader[*book]
	list   *Reader[[]*book]
	update *Writer
	remove *Writer
}

func newShop(t testing.TB, change func(*Options, *ReadPolicy[*book], *WritePolicy)) *shop {
	t.Helper()
	s := &shop{t: t, st: memstore.New(memstore.Options{}), rows: map[int64]book{1: {ID: 1, Author: 7, Version: 1, Tags: []string{"a"}}}}
	o := Options{Namespace: "test", Store: s.st, Logger: slog.New(slog.DiscardHandler)}
	rp := ReadPolicy[*book]{
		Method: "ByID", Key: "ByID", Schema: "s1", TTL: time.Minute, Negative: time.Minute,
		NotFound: []error{errNotFound}, Absent: IsNil[book], Codec: bookCodec,
	}
	wp := WritePolicy{Method: "Update"}
	if change != nil {
		change(&o, &rp, &wp)
	}
	cache, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	s.cache = cache
	repo := cache.Repo(RepoPolicy{Name: "books"})
	s.byID = NewReader(repo, rp)
	s.list = NewReader(repo, ReadPolicy[[]*book]{Method: "List", Key: "List", Schema: "s2", TTL: time.Minute, Level: rp.Level, Codec: listCodec})
	s.update = NewWriter(repo, wp)
	remove := wp
	remove.Method = "Remove"
	s.remove = NewWriter(repo, remove)
	return s
}

var listCodec = Codec[[]*book]{
	Append: func(b []byte, v []*book) ([]byte, error) {
		for _, x := range v {
			e, _ := bookCodec.Append(nil, x)
			b = appendString(b, string(e))
		}
		return b, nil
	},
	Decode: func(b []byte) (out []*book, err error) {
		p := parser{b: b}
		for len(p.b) > 0 {
			x, err := bookCodec.Decode([]byte(p.string()))
			if err != nil {
				return nil, err
			}
			out = append(out, x)
		}
		return out, nil
	},
	Clone: func(v []*book) (out []*book) {
		for _, x := range v {
			out = append(out, bookCodec.Clone(x))
		}
		return out
	},
}

func (s *shop) call(id int64) Call[*book] {
	return Call[*book]{Key: NewArgs().Int(id), Tags: func(t *Tags) { t.Tag("books/book").Int(id) }}
}

func (s *shop) load(id int64) func(context.Context) (*book, error) {
	return func(ctx context.Context) (*book, error) {
		s.mu.Lock()
		s.loads++
		b, ok := s.rows[id]
		hook := s.hook
		s.mu.Unlock()
		if hook != nil {
			hook()
		}
		if !ok {
			return nil, errNotFound
		}
		return bookCodec.Clone(&b), nil
	}
}

func (s *shop) get(ctx context.Context, id int64) (*book, error) {
	return s.byID.Get(ctx, s.call(id), s.load(id))
}

func (s *shop) mustGet(ctx context.Context, id int64) *book {
	s.t.Helper()
	b, err := s.get(ctx, id)
	if err != nil {
		s.t.Fatalf("ByID(%d): %v", id, err)
	}
	return b
}

func (s *shop) byAuthor(ctx context.Context, author int64) ([]*book, error) {
	return s.list.Get(ctx, Call[[]*book]{
		Key:  NewArgs().Int(author),
		Tags: func(t *Tags) { t.Tag("books/author").Int(author) },
		Rows: func(ret []*book, t *Tags) {
			for _, row := range ret {
				t.Tag("books/book").Int(row.ID)
			}
		},
	}, func(context.Context) ([]*book, error) {
		s.mu.Lock()
		s.loads++
		var out []*book
		for _, b := range s.rows {
			if b.Author == author {
				out = append(out, bookCodec.Clone(&b))
			}
		}
		hook := s.hook
		s.mu.Unlock()
		if hook != nil {
			hook()
		}
		return out, nil
	})
}

// bump changes a row the way a generated write does; during runs inside the source.
func (s *shop) bump(ctx context.Context, id int64, during func() error) (ret *book, err error) {
	err = s.update.Do(ctx, Change{
		Tags: func(t *Tags) {
			t.Entry(s.call(id))
			t.Tag("books/book").Int(id)
		},
		Run: func(context.Context) error {
			s.mu.Lock()
			b := s.rows[id]
			b.ID = id
			b.Version++
			s.rows[id] = b
			s.mu.Unlock()
			ret = bookCodec.Clone(&b)
			if during != nil {
				err = during()
			}
			return err
		},
		Put: func(p *Puts) { s.byID.Put(p, s.call(id), ret) },
	})
	return ret, err
}

func (s *shop) stat(method string) MethodStats {
	for _, m := range s.cache.Stats().Methods {
		if m.Method == method {
			return m
		}
	}
	s.t.Fatalf("no method %s", method)
	return MethodStats{}
}

// drain waits for fills.
func (s *shop) drain() {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if err := s.cache.Drain(ctx); err != nil {
		s.t.Fatal(err)
	}
}

// flaky is a store that can be taken down.
type flaky struct {
	*memstore.Store
	mu   sync.Mutex
	down map[string]bool // operations that fail
	lost func(error)
	// changed is reported by the next successful Probe, once.
	changed bool
	// posted, if set, is called once, after the next Post has been applied and before it
	// returns.
	posted func()
	delay  time.Duration // of each Post
}

func (f *flaky) changeServer() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.changed = true
}

func (f *flaky) set(ops ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = map[string]bool{}
	for _, op := range ops {
		f.down[op] = true
	}
}

func (f *flaky) fails(op string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down[op] {
		return store.ErrDown
	}
	return nil
}

func (f *flaky) OnDown(g func(error)) { f.lost = g }

func (f *flaky) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	if err := f.fails("read"); err != nil {
		return store.ReadReply{}, err
	}
	return f.Store.Read(ctx, r)
}

func (f *flaky) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	if err := f.fails("mark"); err != nil {
		return nil, err
	}
	return f.Store.Mark(ctx, r)
}

func (f *flaky) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	if err := f.fails("post"); err != nil {
		return store.PostReply{}, err
	}
	f.mu.Lock()
	delay := f.delay
	f.mu.Unlock()
	if delay > 0 {
		select {
		case <-time.After(delay):
		case <-ctx.Done():
			return store.PostReply{}, store.ErrDown
		}
	}
	reply, err := f.Store.Post(ctx, r)
	f.mu.Lock()
	posted := f.posted
	f.posted = nil
	f.mu.Unlock()
	if posted != nil {
		posted()
	}
	return reply, err
}

func (f *flaky) Probe(ctx context.Context) (bool, error) {
	if err := f.fails("probe"); err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := f.changed
	f.changed = false
	return changed, nil
}
