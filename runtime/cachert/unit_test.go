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

// counted counts what reaches the store.
type counted struct {
	*flaky
	marks, posts int
}

func (c *counted) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	c.marks++
	return c.flaky.Mark(ctx, r)
}

func (c *counted) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	c.mu.Lock()
	c.posts++
	c.mu.Unlock()
	return c.flaky.Post(ctx, r)
}

// txShop is a shop whose writes stand in a transaction until it commits.
type txShop struct {
	*shop
	store   *counted
	pending map[int64]book // of the one transaction under way
}

type txShopKey struct{}

func newTxShop(t *testing.T, change func(*WritePolicy)) *txShop {
	s := &txShop{pending: map[int64]book{}}
	s.shop = newShop(t, func(o *Options, _ *ReadPolicy[*book], w *WritePolicy) {
		s.store = &counted{flaky: &flaky{Store: o.Store.(*memstore.Store)}}
		o.Store = s.store
		if change != nil {
			change(w)
		}
	})
	return s
}

// begin starts a unit of work with a transaction in its context.
func (s *txShop) begin() (context.Context, *Unit) {
	ctx, unit := s.cache.Begin(context.Background())
	return context.WithValue(ctx, txShopKey{}, true), unit
}

// row is what a reader with ctx sees in the database.
func (s *txShop) row(ctx context.Context, id int64) book {
	if b, ok := s.pending[id]; ok && ctx.Value(txShopKey{}) != nil {
		return b
	}
	return s.rows[id]
}

func (s *txShop) get(ctx context.Context, id int64) *book {
	s.t.Helper()
	b, err := s.byID.Get(ctx, s.call(id), func(ctx context.Context) (*book, error) {
		s.loads++
		b := s.row(ctx, id)
		return bookCodec.Clone(&b), nil
	})
	if err != nil {
		s.t.Fatal(err)
	}
	return b
}

// bump is a write inside the transaction of ctx.
func (s *txShop) bump(ctx context.Context, id int64) error {
	var ret *book
	return s.update.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
		Run: func(ctx context.Context) error {
			b := s.row(ctx, id)
			b.ID, b.Version = id, b.Version+1
			s.pending[id] = b
			ret = bookCodec.Clone(&b)
			return nil
		},
		Put: func(p *Puts) { s.byID.Put(p, s.call(id), ret) },
	})
}

func (s *txShop) commit() {
	for id, b := range s.pending {
		s.rows[id] = b
	}
	clear(s.pending)
}

// want reads book 1 and compares its version and how often the source was asked.
func (s *txShop) want(ctx context.Context, version int64, loads int) {
	s.t.Helper()
	before := s.loads
	if b := s.get(ctx, 1); b.Version != version || s.loads-before != loads {
		s.t.Errorf("version %d after %d loads, want %d after %d", b.Version, s.loads-before, version, loads)
	}
}

func (s *txShop) must(err error) {
	s.t.Helper()
	if err != nil {
		s.t.Fatal(err)
	}
}

// What a transaction writes is told to the cache in one mark and one post, whatever the
// number of writes, and the last value is stored.
func TestUnitMarksOnceAndPostsOnce(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	ctx, unit := s.begin()
	for range 3 {
		s.must(s.bump(ctx, 1))
	}
	s.must(s.bump(ctx, 2))
	if s.store.marks+s.store.posts != 0 {
		t.Errorf("%d marks and %d posts before COMMIT", s.store.marks, s.store.posts)
	}
	s.want(ctx, 4, 1)     // its own writes, from the source
	s.want(outside, 1, 0) // nothing is committed: the entry is right
	s.must(unit.Mark())
	s.want(outside, 1, 1) // from now on the source answers
	s.commit()
	s.want(outside, 4, 1)
	s.must(unit.Post(nil))
	if s.store.marks != 1 || s.store.posts != 1 {
		t.Errorf("%d marks and %d posts, want one of each", s.store.marks, s.store.posts)
	}
	s.want(outside, 4, 0) // written through
	s.want(ctx, 4, 0)     // the unit has ended: its context is one like any other
}

func TestUnitDiscardedCostsNothing(t *testing.T) {
	s := newTxShop(t, nil)
	s.want(context.Background(), 1, 1)
	s.drain()
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	unit.Discard()
	unit.Discard() // once is enough
	if s.store.marks+s.store.posts != 0 {
		t.Errorf("%d marks and %d posts for a transaction that was rolled back", s.store.marks, s.store.posts)
	}
	s.want(context.Background(), 1, 0)
}

// A COMMIT that failed for certain invalidates and stores nothing.
func TestUnitFailedCommitStoresNothing(t *testing.T) {
	s := newTxShop(t, nil)
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	s.must(unit.Mark())
	s.must(unit.Post(errors.New("serialization failure")))
	s.want(context.Background(), 1, 1)
	s.drain()
	s.want(context.Background(), 1, 0)
}

func TestUnitUnknownCommitKeepsTheMarkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTxShop(t, nil)
		ctx, unit := s.begin()
		s.must(s.bump(ctx, 1))
		s.must(unit.Mark())
		s.must(unit.Post(context.DeadlineExceeded))
		s.want(context.Background(), 1, 1)
		s.commit() // after all
		s.want(context.Background(), 2, 1)
		time.Sleep(11 * time.Second) // virtual: the lease ends
		s.want(context.Background(), 2, 1)
		s.drain()
		s.want(context.Background(), 2, 0)
	})
}

// 1 put of version 2; 2 a write without a value changes the row again; 3 COMMIT: the value
// put first is not what the database holds.
func TestUnitForgetsAValueThatALaterWriteTouched(t *testing.T) {
	s := newTxShop(t, nil)
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	s.must(s.remove.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run:  func(context.Context) error { s.pending[1] = book{ID: 1, Version: 9}; return nil },
	}))
	s.must(unit.Mark())
	s.commit()
	s.must(unit.Post(nil))
	s.want(context.Background(), 9, 1)
}

func TestUnitForgetsWhatASavepointTakesBack(t *testing.T) {
	s := newTxShop(t, nil)
	ctx, unit := s.begin()
	back := unit.Savepoint()
	s.must(s.bump(ctx, 1))
	clear(s.pending)
	back()
	s.must(unit.Mark())
	s.commit()
	s.must(unit.Post(nil))
	s.want(context.Background(), 1, 1)
}

func TestUnitOfAWriteThatRefuses(t *testing.T) {
	s := newTxShop(t, func(w *WritePolicy) { w.OnError = OnErrorFail })
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	s.store.set("mark", "post", "probe")
	if err := unit.Mark(); !errors.Is(err, ErrRefused) {
		t.Fatalf("Mark: %v, want ErrRefused", err)
	}
	unit.Discard()
	ctx, unit = s.begin()
	if err := s.bump(ctx, 1); !errors.Is(err, ErrRefused) {
		t.Errorf("a write while the store is lost: %v, want ErrRefused before the source", err)
	}
	unit.Discard()
}

// The write stands, the error says so, and this process reads from the source until the
// cache has been told.
func TestUnitCommittedButNotTold(t *testing.T) {
	s := newTxShop(t, nil)
	s.want(context.Background(), 1, 1)
	s.drain()
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	s.must(unit.Mark())
	s.commit()
	s.store.set("post", "probe")
	var told *NotToldError
	if err := unit.Post(nil); !errors.As(err, &told) || !errors.Is(err, store.ErrDown) {
		t.Fatalf("Post: %v, want a NotToldError", err)
	}
	s.want(context.Background(), 2, 1)
	s.store.set()
	s.drain()
	s.want(context.Background(), 2, 1)
	s.drain()
	s.want(context.Background(), 2, 0)
}

// listed counts the books in the list of an author, which depends on the author alone.
func (s *txShop) listed(author int64) int {
	s.t.Helper()
	books, err := s.list.Get(context.Background(), Call[[]*book]{
		Key:  NewArgs().Int(author),
		Tags: func(t *Tags) { t.Tag("books/author").Int(author) },
	}, func(context.Context) (out []*book, err error) {
		for _, b := range s.rows {
			if b.Author == author {
				out = append(out, bookCodec.Clone(&b))
			}
		}
		return out, nil
	})
	s.must(err)
	return len(books)
}

// move gives book 1 to another author; during runs between the reading of the old row and
// the change.
func (s *txShop) move(ctx context.Context, author int64, during func()) {
	s.t.Helper()
	s.must(s.update.Do(ctx, Change{
		Tags: func(t *Tags) {
			t.Tag("books/book").Int(1)
			t.Tag("books/author").Int(author)
		},
		Old: func(_ context.Context, t *Tags) error {
			t.Tag("books/author").Int(s.rows[1].Author)
			return nil
		},
		Run: func(context.Context) error {
			if during != nil {
				during()
			}
			s.rows[1] = book{ID: 1, Author: author, Version: 5}
			return nil
		},
	}))
}

// 1 the write reads the old row, of author 7; 2 another one moves the book to author 8 and
// ends; 3 this write moves it to author 9: dropping author 7 alone would leave it in the
// list of author 8. And where the transaction lasts longer than the first marks do, those
// set before COMMIT have met nobody.
func TestUnitOldRowMovedByAnother(t *testing.T) {
	for _, lasts := range []time.Duration{0, 11 * time.Second} { // virtual
		synctest.Test(t, func(t *testing.T) {
			s := newTxShop(t, nil)
			ctx, unit := s.begin()
			s.move(ctx, 9, func() {
				s.move(context.Background(), 8, nil)
				time.Sleep(lasts)
				if s.listed(8) != 1 {
					t.Error("the book is not in the list of author 8")
				}
				s.drain()
			})
			s.must(unit.Mark())
			s.must(unit.Post(nil))
			if n := s.listed(8); n != 0 {
				t.Errorf("after %v: %d books in the list of author 8, want 0", lasts, n)
			}
		})
	}
}

func TestUnitInnerBeginJoins(t *testing.T) {
	s := newTxShop(t, nil)
	ctx, unit := s.begin()
	other, err := Open(Options{Namespace: "other"})
	s.must(err)
	defer func() { _ = other.Close() }()
	ctx, foreign := other.Begin(ctx)
	if _, inner := s.cache.Begin(ctx); inner != unit {
		t.Error("an inner Begin made a unit of its own")
	}
	if !s.cache.InUnit(ctx) || !other.InUnit(ctx) {
		t.Error("a unit is lost behind that of another cache")
	}
	foreign.Discard()
	unit.Discard()
	if s.cache.InUnit(ctx) || other.InUnit(ctx) {
		t.Error("a unit that has ended still counts")
	}
}

// A conflict makes the helper run the body again: what the first attempt would have stored
// is forgotten, and the outcome of the last COMMIT counts.
func TestTransactRunsTheBodyAgain(t *testing.T) {
	s := newTxShop(t, nil)
	s.want(context.Background(), 1, 1)
	s.drain()
	attempts := 0
	inTx := func(ctx context.Context, body func(context.Context) error) error {
		for {
			attempts++
			clear(s.pending)
			if err := body(context.WithValue(ctx, txShopKey{}, true)); err != nil {
				clear(s.pending)
				return err
			}
			if attempts > 1 {
				s.commit()
				return nil
			}
		}
	}
	s.must(s.cache.Transact(context.Background(), inTx, func(ctx context.Context) error {
		if attempts == 1 {
			return s.bump(ctx, 1)
		}
		return s.bump(ctx, 2)
	}))
	if attempts != 2 {
		t.Errorf("%d attempts, want 2", attempts)
	}
	s.want(context.Background(), 1, 1)

	failed := errors.New("out of stock")
	err := s.cache.Transact(context.Background(), inTx, func(ctx context.Context) error {
		s.must(s.bump(ctx, 1))
		return failed
	})
	if err != failed {
		t.Errorf("%v, want the body's own error", err)
	}
	s.drain()
	s.want(context.Background(), 1, 1) // named by the first attempt alone, whose COMMIT was sent: marked still
}

// 1 the write changes the row and panics; 2 somebody recovers and commits all the same: what
// the write named must be dropped.
func TestUnitWriteThatPanicsIsTold(t *testing.T) {
	s := newTxShop(t, nil)
	s.want(context.Background(), 1, 1)
	s.drain()
	ctx, unit := s.begin()
	func() {
		defer func() { _ = recover() }()
		_ = s.update.Do(ctx, Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Run: func(context.Context) error {
				s.pending[1] = book{ID: 1, Version: 2}
				panic("in the source")
			},
		})
	}()
	s.must(unit.Mark())
	s.commit()
	s.must(unit.Post(nil))
	s.want(context.Background(), 2, 1)
}

// A tag known only from the result is marked with all others.
func TestUnitMarksWhatTheResultNames(t *testing.T) {
	s := newTxShop(t, nil)
	s.want(context.Background(), 1, 1)
	s.drain()
	ctx, unit := s.begin()
	s.must(s.update.Do(ctx, Change{
		Run:   func(context.Context) error { s.pending[1] = book{ID: 1, Version: 2}; return nil },
		After: func(t *Tags) { t.Tag("books/book").Int(1) },
	}))
	s.must(unit.Mark())
	s.want(context.Background(), 1, 1) // the source answers, and nothing is stored
	s.drain()
	s.commit()
	s.want(context.Background(), 2, 1)
	s.must(unit.Post(nil))
	s.want(context.Background(), 2, 1)
}

// A write that read its old row has marked at once. Rolled back, its marker goes, and nobody
// has to wait for its lease.
func TestUnitDiscardedEndsItsMarkers(t *testing.T) {
	s := newTxShop(t, nil)
	ctx, unit := s.begin()
	s.must(s.update.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Old:  func(context.Context, *Tags) error { return nil },
		Run:  func(context.Context) error { return nil },
	}))
	s.want(context.Background(), 1, 1)
	s.want(context.Background(), 1, 1)
	unit.Discard()
	s.want(context.Background(), 1, 1)
	s.drain()
	s.want(context.Background(), 1, 0)
}

// A mark that is refused because the caller has no time left is taken back once, and an
// attempt after it is marked under another token: a post that arrives late must not end it.
func TestUnitRefusedIsTakenBackOnce(t *testing.T) {
	s := newTxShop(t, func(w *WritePolicy) { w.OnError = OnErrorFail })
	ctx, cancel := context.WithCancel(context.Background())
	ctx, unit := s.cache.Begin(ctx)
	s.must(s.bump(ctx, 1))
	token := unit.m.token
	cancel()
	if err := unit.Mark(); !errors.Is(err, ErrRefused) {
		t.Fatalf("Mark: %v, want ErrRefused", err)
	}
	if unit.m.token == token {
		t.Error("the token that was posted is used again")
	}
	lost := s.stat("Update").MarkersLost
	unit.Discard()
	if n := s.stat("Update").MarkersLost - lost; n != 0 {
		t.Errorf("%d markers lost by the discard, want none", n)
	}
}
