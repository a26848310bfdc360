package cachert

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

func TestWriteThroughIsAHit(t *testing.T) {
	for _, level := range []Level{LevelBounded, LevelSession, LevelStrict} {
		t.Run(level.String(), func(t *testing.T) {
			s := newShop(t, func(_ *Options, r *ReadPolicy[*book], w *WritePolicy) { r.Level, w.Level = level, level })
			ctx := context.Background()
			s.mustGet(ctx, 1)
			s.drain()
			loads := s.loads
			if _, err := s.bump(ctx, 1, nil); err != nil {
				t.Fatal(err)
			}
			if b := s.mustGet(ctx, 1); b.Version != 2 || s.loads != loads {
				t.Errorf("version %d after %d loads, want 2 without a load", b.Version, s.loads-loads)
			}
			if m := s.stat("Update"); m.WriteThroughs != 1 {
				t.Errorf("write-throughs %d, want 1", m.WriteThroughs)
			}
		})
	}
}

// 1 A marks; 2 B marks; 3 B commits version 2 and posts; 4 A commits version 3 and posts
// with what it returned: whoever is last must not write through, for it cannot know that
// its commit was the last.
func TestOverlappingWritersNeverWriteThrough(t *testing.T) {
	for _, level := range []Level{LevelBounded, LevelSession} {
		t.Run(level.String(), func(t *testing.T) {
			s := newShop(t, func(_ *Options, _ *ReadPolicy[*book], w *WritePolicy) { w.Level = level })
			ctx := context.Background()
			s.mustGet(ctx, 1)
			_, err := s.bump(ctx, 1, func() error {
				_, err := s.bump(ctx, 1, nil)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			loads := s.loads
			if b := s.mustGet(ctx, 1); b.Version != 3 || s.loads != loads+1 {
				t.Errorf("version %d after %d loads, want 3 from the source", b.Version, s.loads-loads)
			}
		})
	}
}

func TestWriteErrorStillInvalidates(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	s.mustGet(ctx, 1)
	failed := errors.New("constraint, but committed all the same")
	if _, err := s.bump(ctx, 1, func() error { return failed }); err != failed {
		t.Fatalf("%v, want the source's own error", err)
	}
	if b := s.mustGet(ctx, 1); b.Version != 2 {
		t.Errorf("version %d, want 2", b.Version)
	}
}

func TestUnknownOutcomeKeepsTheMarker(t *testing.T) {
	for name, end := range map[string]func() error{
		"timeout": func() error { return context.DeadlineExceeded },
		"panic":   func() error { panic("in the source") },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, nil)
				ctx := context.Background()
				s.mustGet(ctx, 1)
				func() {
					defer func() { _ = recover() }()
					_, _ = s.bump(ctx, 1, end)
				}()
				loads := s.loads
				s.mustGet(ctx, 1)
				s.mustGet(ctx, 1)
				if s.loads != loads+2 {
					t.Errorf("%d loads while the outcome is open, want 2", s.loads-loads)
				}
				<-time.After(11 * time.Second) // the lease, by the bubble's clock
				s.mustGet(ctx, 1)
				s.mustGet(ctx, 1)
				if s.loads != loads+3 {
					t.Errorf("%d loads, want one more after the lease", s.loads-loads)
				}
				if m := s.stat("Update"); m.Unknown != 1 {
					t.Errorf("unknown %d, want 1", m.Unknown)
				}
			})
		})
	}
}

func TestUnknownOutcomeOfAnUnmarkedWriteIsRenewedTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, func(_ *Options, _ *ReadPolicy[*book], w *WritePolicy) { w.Level = LevelBounded })
		ctx := context.Background()
		if _, err := s.bump(ctx, 1, func() error { return context.DeadlineExceeded }); err == nil {
			t.Fatal("the error is the caller's")
		}
		s.mustGet(ctx, 1)
		loads := s.loads
		s.mustGet(ctx, 1)
		if s.loads != loads {
			t.Error("one more load: the entry should be a hit until the second renewal")
		}
		<-time.After(11 * time.Second)
		s.mustGet(ctx, 1)
		if s.loads != loads+1 {
			t.Error("no load after the lease: the commit may have come in between")
		}
	})
}

// 1 a writer marks and stalls; 2 its lease ends, a reader fills under a new generation;
// 3 the writer commits after all.
func TestLostMarkerIsCountedAndRepaired(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		ctx := context.Background()
		s.mustGet(ctx, 1)
		_, err := s.bump(ctx, 1, func() error {
			<-time.After(11 * time.Second) // the lease, by the bubble's clock
			s.mustGet(ctx, 1)
			s.drain()
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		loads := s.loads
		s.mustGet(ctx, 1)
		if m := s.stat("Update"); m.MarkersLost != 1 || s.loads != loads+1 {
			t.Errorf("markers lost %d, loads %d; want 1 and a load", m.MarkersLost, s.loads-loads)
		}
	})
}

// deleteBook is a write with old=: it drops the tags of the row that it removes.
func (s *shop) deleteBook(ctx context.Context, id int64, during func()) error {
	return s.remove.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
		Old: func(ctx context.Context, t *Tags) error {
			s.mu.Lock()
			defer s.mu.Unlock()
			if old, ok := s.rows[id]; ok {
				t.Tag("books/author").Int(old.Author)
			}
			return nil
		},
		Run: func(context.Context) error {
			if during != nil {
				during()
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			delete(s.rows, id)
			return nil
		},
	})
}

func TestOldRowReachesItsLists(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	if l, err := s.byAuthor(ctx, 7); err != nil || len(l) != 1 {
		t.Fatal(l, err)
	}
	if err := s.deleteBook(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	if l, err := s.byAuthor(ctx, 7); err != nil || len(l) != 0 {
		t.Errorf("the list still shows the deleted book: %v, %v", l, err)
	}
}

// 1 the delete marks book 1 and reads its author, 7; 2 another write moves the book to
// author 8, a reader caches 8's list; 3 the delete commits: 8's list must go too.
func TestOldRowThatMovedDropsTheRepository(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	other := func() []*book {
		l, err := s.list.Get(ctx, Call[[]*book]{Key: NewArgs().Int(8), Tags: func(t *Tags) { t.Tag("books/author").Int(8) }},
			func(context.Context) ([]*book, error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				if b, ok := s.rows[1]; ok && b.Author == 8 {
					return []*book{&b}, nil
				}
				return nil, nil
			})
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	err := s.deleteBook(ctx, 1, func() {
		if _, err := s.bump(ctx, 1, func() error {
			s.mu.Lock()
			defer s.mu.Unlock()
			b := s.rows[1]
			b.Author = 8
			s.rows[1] = b
			return nil
		}); err != nil {
			t.Error(err)
		}
		if len(other()) != 1 {
			t.Error("the book should be in 8's list now")
		}
		s.drain()
	})
	if err != nil {
		t.Fatal(err)
	}
	if l := other(); len(l) != 0 {
		t.Errorf("8's list still shows the deleted book: %v", l)
	}
}

func TestOnErrorFailRefusesBeforeTheSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorFail)
		ctx := context.Background()
		f.set("mark", "post", "probe")
		for range 2 { // the failing mark, then the closed gate
			_, err := s.bump(ctx, 1, nil)
			if !errors.Is(err, ErrRefused) || !errors.Is(err, store.ErrDown) {
				t.Fatalf("%v, want ErrRefused and store.ErrDown", err)
			}
		}
		if s.rows[1].Version != 1 {
			t.Error("the source was touched")
		}
		f.set()
		s.drain()
		if _, err := s.bump(ctx, 1, nil); err != nil {
			t.Errorf("%v after the store came back", err)
		}
	})
}

func TestTenantsAreKeptApart(t *testing.T) {
	s := newShop(t, nil)
	repo := s.cache.Repo(RepoPolicy{Name: "carts", Tenant: TenantFromContext})
	items := NewReader(repo, ReadPolicy[*book]{Method: "Items", Key: "Items", Schema: "s", TTL: time.Minute, Codec: bookCodec})
	clearCart := NewWriter(repo, WritePolicy{Method: "Clear"})
	loads := 0
	get := func(ctx context.Context) {
		t.Helper()
		_, err := items.Get(ctx, Call[*book]{Tags: func(t *Tags) { t.Tag("carts/cart") }},
			func(context.Context) (*book, error) { loads++; return &book{}, nil })
		if err != nil {
			t.Fatal(err)
		}
	}
	none := context.Background()
	a, b := WithTenant(none, "a"), WithTenant(none, "a/b")
	expect := func(what string, want int) {
		t.Helper()
		if loads != want {
			t.Errorf("%s: %d loads, want %d", what, loads, want)
		}
	}
	get(a)
	get(b)
	get(a)
	expect("two tenants", 2)
	get(none)
	get(none)
	expect("no tenant: the source", 4)
	drop := func(ctx context.Context) {
		t.Helper()
		err := clearCart.Do(ctx, Change{
			Tags: func(t *Tags) { t.Tag("carts/cart") },
			Run:  func(context.Context) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	drop(a)
	get(b)
	expect("another tenant's write", 4)
	get(a)
	expect("its own write", 5)
	drop(none)
	get(a)
	get(b)
	expect("a write without a tenant drops all", 7)
}

func TestInvalidate(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	for i, f := range []func() error{
		func() error { return s.cache.Invalidate(ctx, func(t *Tags) { t.Tag("books/book").Int(1) }) },
		func() error { return s.cache.InvalidateRepo(ctx, "books") },
		func() error { return s.cache.InvalidateAll(ctx) },
	} {
		s.mustGet(ctx, 1)
		loads := s.loads
		s.mustGet(ctx, 1)
		if s.loads != loads {
			t.Fatalf("case %d: not cached", i)
		}
		if err := f(); err != nil {
			t.Fatal(err)
		}
		s.mustGet(ctx, 1)
		if s.loads != loads+1 {
			t.Errorf("case %d: not invalidated", i)
		}
	}
}

func TestPutOfARowThatCameIntoBeing(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	create := func(id int64) {
		var ret *book
		err := s.update.Do(ctx, Change{
			Run: func(context.Context) error {
				s.mu.Lock()
				defer s.mu.Unlock()
				ret = &book{ID: id, Version: 1}
				s.rows[id] = *ret
				return nil
			},
			After: func(t *Tags) { t.Tag("books/book").Int(ret.ID) },
			Put:   func(p *Puts) { s.byID.Put(p, s.call(ret.ID), ret) },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	create(20)
	s.mustGet(ctx, 20)
	if s.loads != 0 {
		t.Errorf("%d loads, want the value written through", s.loads)
	}
	if _, err := s.get(ctx, 21); err != errNotFound {
		t.Fatal(err)
	}
	create(21) // a negative entry stands, its tag has a generation
	if b := s.mustGet(ctx, 21); b.ID != 21 {
		t.Errorf("%+v: the negative entry survived the creation", b)
	}
}

// 1 the creating write commits version 1 and stalls; 2 another writer marks the row, commits
// version 2 and dies; its marker expires; 3 the creating write posts.
func TestLatePutOfACreatedRowIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		ctx := context.Background()
		ret := &book{ID: 20, Version: 1}
		err := s.update.Do(ctx, Change{
			Run: func(context.Context) error {
				s.mu.Lock()
				s.rows[20] = *ret
				s.mu.Unlock()
				_, err := s.bump(ctx, 20, func() error { return context.DeadlineExceeded })
				if err == nil {
					t.Error("the other write's outcome must be unknown")
				}
				<-time.After(11 * time.Second) // its lease, by the bubble's clock
				return nil
			},
			After: func(t *Tags) { t.Tag("books/book").Int(20) },
			Put:   func(p *Puts) { s.byID.Put(p, s.call(20), ret) },
		})
		if err != nil {
			t.Fatal(err)
		}
		if b := s.mustGet(ctx, 20); b.Version != 2 {
			t.Errorf("version %d, want 2", b.Version)
		}
	})
}

// 1 the source commits version 2; 2 reading it back for the put panics; 3 who recovers from
// that must not leave version 1 in the cache.
func TestPutThatPanicsStillInvalidates(t *testing.T) {
	for _, level := range []Level{LevelBounded, LevelSession} {
		synctest.Test(t, func(t *testing.T) {
			s := newShop(t, func(_ *Options, _ *ReadPolicy[*book], w *WritePolicy) { w.Level = level })
			ctx := context.Background()
			s.mustGet(ctx, 1)
			s.drain()
			func() {
				defer func() {
					if recover() == nil {
						t.Error("the panic was swallowed")
					}
				}()
				_ = s.update.Do(ctx, Change{
					Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
					Run:  func(context.Context) error { s.rows[1] = book{ID: 1, Version: 2}; return nil },
					Put: func(p *Puts) {
						s.byID.Reload(p, s.call(1), func(context.Context) (*book, error) { panic("driver") })
					},
				})
			}()
			if b := s.mustGet(ctx, 1); b.Version != 2 {
				t.Errorf("%v: version %d after a put that panicked, want 2", level, b.Version)
			}
		})
	}
}

// full is a store that has no memory for one mark.
type full struct {
	*memstore.Store
	failures int
}

func (f *full) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	if f.failures--; f.failures >= 0 {
		return nil, errors.New("OOM")
	}
	return f.Store.Mark(ctx, r)
}

// 1 marking the tags of the arguments fails, with the store still trusted; 2 those of the old
// row are marked; 3 the end of the write has to take these markers away.
func TestMarkersAreTakenAwayThoughOthersFailed(t *testing.T) {
	s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) {
		o.Store = &full{Store: o.Store.(*memstore.Store), failures: 1}
	})
	ctx := context.Background()
	err := s.update.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Old:  func(_ context.Context, t *Tags) error { t.Tag("books/author").Int(7); return nil },
		Run:  func(context.Context) error { return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if _, err := s.byAuthor(ctx, 7); err != nil {
			t.Fatal(err)
		}
		s.drain()
	}
	if n := s.stat("List").Hits(); n != 1 {
		t.Errorf("%d hits, want one: a marker stands in the list's tag", n)
	}
}
