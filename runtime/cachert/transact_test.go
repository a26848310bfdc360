package cachert

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// handed is what a body gets: writer and reader bound to a unit, over the transaction.
type handed struct {
	*txShop
	byID   *Reader[*book]
	update *Writer
}

func (s *txShop) handOut(u *Unit) handed { return handed{s, s.byID.In(u), s.update.In(u)} }

// bump is a write of the transaction, called with a context that knows nothing of it.
func (h handed) bump(id int64) error {
	return h.update.Do(context.Background(), h.change(id))
}

func (s *txShop) change(id int64) Change {
	inside := context.WithValue(context.Background(), txShopKey{}, true)
	return Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
		Run: func(context.Context) error {
			b := s.row(inside, id)
			b.ID, b.Version = id, b.Version+1
			s.pending[id] = b
			return nil
		},
	}
}

func (h handed) version(id int64) int64 {
	h.t.Helper()
	b, err := h.byID.Get(context.Background(), h.call(id), func(context.Context) (*book, error) {
		b := h.row(context.WithValue(context.Background(), txShopKey{}, true), id)
		return &b, nil
	})
	h.must(err)
	return b.Version
}

// transact runs a transaction as a source does that hands out a store: attempts ends with
// what COMMIT says of each, and a conflict makes it run the body again.
func (s *txShop) transact(ctx context.Context, t *Transactor, commits []func() error, body func(ctx context.Context, h handed) error) error {
	return t.Run(ctx, func(ctx context.Context, tx *Transaction) error {
		var err error
		for _, commit := range commits {
			clear(s.pending)
			err = tx.Body(ctx, func(ctx context.Context, u *Unit) error { return body(ctx, s.handOut(u)) })
			if err != nil {
				clear(s.pending)
				return err
			}
			if err = commit(); err == nil {
				s.commit()
				return nil
			}
		}
		return err
	})
}

var errConflict = errors.New("conflict")

func well() error { return nil }

// The body uses a context without the unit, as bodies do that are closures.
func TestBodyWritesJoinWithoutTheContext(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	tr := &Transactor{cache: s.cache}
	s.must(s.transact(outside, tr, []func() error{well}, func(_ context.Context, h handed) error {
		s.must(h.bump(1))
		s.must(h.bump(1))
		if v := h.version(1); v != 3 {
			t.Errorf("inside version %d, want 3", v)
		}
		s.want(outside, 1, 0)
		if s.store.marks+s.store.posts != 0 {
			t.Errorf("%d marks and %d posts before the end of the body", s.store.marks, s.store.posts)
		}
		return nil
	}))
	if s.store.marks != 1 || s.store.posts != 1 {
		t.Errorf("%d marks and %d posts, want one of each", s.store.marks, s.store.posts)
	}
	s.want(outside, 3, 1)
	s.drain()
	s.want(outside, 3, 0)
}

func TestBodyIsMarkedBeforeItsCommit(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	commit := func() error {
		s.want(outside, 1, 1)
		s.commit()
		s.want(outside, 2, 1)
		return nil
	}
	s.must(s.transact(outside, &Transactor{cache: s.cache}, []func() error{commit}, func(_ context.Context, h handed) error {
		return h.bump(1)
	}))
}

func TestBodyThatFailsPanicsOrRunsAgain(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	tr := &Transactor{cache: s.cache}
	stop := errors.New("stop")
	if err := s.transact(outside, tr, []func() error{well}, func(_ context.Context, h handed) error {
		s.must(h.bump(1))
		return stop
	}); err != stop {
		t.Errorf("%v, want the body's own error", err)
	}
	func() {
		defer func() { _ = recover(); clear(s.pending) }()
		_ = s.transact(outside, tr, []func() error{well}, func(_ context.Context, h handed) error {
			s.must(h.bump(1))
			panic("stop")
		})
	}()
	if s.store.marks+s.store.posts != 0 {
		t.Errorf("%d marks and %d posts for transactions that were rolled back", s.store.marks, s.store.posts)
	}
	s.want(outside, 1, 0)
	attempts := 0
	s.must(s.transact(outside, tr, []func() error{func() error { return errConflict }, well}, func(_ context.Context, h handed) error {
		attempts++
		return h.bump(int64(3 - attempts)) // 2, then 1
	}))
	s.want(outside, 2, 1)
}

// A write that refuses makes the body fail, so that the source rolls back.
func TestBodyThatIsRefused(t *testing.T) {
	s := newTxShop(t, func(w *WritePolicy) { w.OnError = OnErrorFail })
	committed := false
	err := s.transact(context.Background(), &Transactor{cache: s.cache}, []func() error{func() error { committed = true; return nil }}, func(_ context.Context, h handed) error {
		s.must(h.bump(1))
		s.store.set("mark", "post", "probe")
		return nil
	})
	if !errors.Is(err, ErrRefused) || committed {
		t.Errorf("%v, committed: %v; want ErrRefused and no commit", err, committed)
	}
}

// A panic out of COMMIT leaves the outcome open.
func TestCommitThatPanicsKeepsTheMarkers(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	func() {
		defer func() { _ = recover() }()
		_ = s.transact(outside, &Transactor{cache: s.cache}, []func() error{func() error { panic("driver") }}, func(_ context.Context, h handed) error {
			return h.bump(1)
		})
	}()
	s.want(outside, 1, 1)
	s.commit() // after all
	s.want(outside, 2, 1)
	s.want(outside, 2, 1)
}

// A helper that commits although the body failed, and does not say that it did.
func TestBodyWhoseErrorIsSwallowed(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	s.must((&Transactor{cache: s.cache}).Run(outside, func(ctx context.Context, tx *Transaction) error {
		_ = tx.Body(ctx, func(_ context.Context, u *Unit) error {
			s.must(s.handOut(u).bump(1))
			return errConflict
		})
		s.commit()
		return nil
	}))
	s.want(outside, 2, 1)
}

// Inside a store that was handed out a transaction is part of the outer one; one that the
// context alone joins may be committed first, and is marked before that.
func TestTransactionsInside(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	tr := &Transactor{cache: s.cache}
	inner := func(ctx context.Context, tr *Transactor, marks int) {
		s.must(tr.Run(ctx, func(ctx context.Context, tx *Transaction) error {
			return tx.Body(ctx, func(_ context.Context, u *Unit) error { return s.handOut(u).bump(1) })
		}))
		if s.store.marks != marks || s.store.posts != 0 {
			t.Errorf("%d marks and %d posts, want %d and none", s.store.marks, s.store.posts, marks)
		}
	}
	s.must(tr.Run(outside, func(ctx context.Context, tx *Transaction) error {
		err := tx.Body(ctx, func(ctx context.Context, u *Unit) error {
			inner(outside, tr.In(u), 0)
			s.want(outside, 1, 0)
			inner(ctx, tr, 1)
			s.want(outside, 1, 1)
			return nil
		})
		s.commit()
		return err
	}))
	s.want(outside, 3, 1)
	s.drain()
	s.want(outside, 3, 0)
}

// 1 the body calls a write of the store outside, with its own context; 2 that store knows no
// transaction and commits; 3 a reader must not see what was there before.
func TestWritePastTheStoreThatWasHandedOut(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	ch, late := s.change(1), s.change(1)
	run := ch.Run
	ch.Run = func(ctx context.Context) error {
		s.must(run(ctx))
		s.commit()
		s.want(outside, 2, 1)
		return nil
	}
	late.Tags, late.After = nil, late.Tags
	tr := &Transactor{cache: s.cache}
	s.must(tr.Run(outside, func(ctx context.Context, tx *Transaction) error {
		return tx.Body(ctx, func(ctx context.Context, u *Unit) error {
			_ = tr.In(u)
			s.must(s.update.Do(ctx, ch))
			return nil
		})
	}))
	s.want(outside, 2, 1)
	s.drain()
	s.must(tr.Run(outside, func(ctx context.Context, tx *Transaction) error {
		return tx.Body(ctx, func(ctx context.Context, u *Unit) error {
			_ = tr.In(u)
			s.must(s.update.Do(ctx, late))
			s.commit()
			s.want(outside, 3, 1)
			return nil
		})
	}))
}

// What an inner transaction would have stored is forgotten when it ends badly, in whatever way.
func TestInnerTransactionThatIsTakenBack(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	tr := &Transactor{cache: s.cache}
	for name, end := range map[string]func() error{
		"error": func() error { return errConflict },
		"panic": func() error { panic("stop") },
	} {
		s.must(tr.Run(outside, func(ctx context.Context, tx *Transaction) error {
			return tx.Body(ctx, func(ctx context.Context, u *Unit) error {
				defer func() { _ = recover(); clear(s.pending) }()
				_ = tr.In(u).Run(ctx, func(ctx context.Context, tx *Transaction) error {
					return tx.Body(context.WithValue(ctx, txShopKey{}, true), func(ctx context.Context, u *Unit) error {
						put := s.change(1)
						put.Put = func(p *Puts) { b := s.pending[1]; s.byID.Put(p, s.call(1), &b) }
						s.must(s.handOut(u).update.Do(ctx, put))
						return end()
					})
				})
				return nil
			})
		}))
		if b := s.get(outside, 1); b.Version != 1 {
			t.Errorf("%s: version %d was stored, which was taken back", name, b.Version)
		}
	}
}

// The error of COMMIT is that of the last attempt, and that of a body is none.
func TestTransactionsOfUnknownOutcome(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	tr := &Transactor{cache: s.cache}
	attempts := 0
	err := s.transact(outside, tr, []func() error{func() error { return errConflict }, well}, func(_ context.Context, h handed) error {
		s.must(h.bump(1))
		if attempts++; attempts == 2 {
			return context.DeadlineExceeded
		}
		return nil
	})
	if err != context.DeadlineExceeded {
		t.Fatal(err)
	}
	s.want(outside, 1, 1)
	s.drain()
	s.want(outside, 1, 1) // the first attempt's COMMIT was sent, and nobody knows what came of it
	unknown := func() error { return context.DeadlineExceeded }
	if err := s.transact(outside, tr, []func() error{unknown}, func(_ context.Context, h handed) error { return h.bump(1) }); err != context.DeadlineExceeded {
		t.Fatal(err)
	}
	s.want(outside, 1, 1)
	s.drain()
	s.commit() // after all
	s.want(outside, 2, 1)
}

// Without a unit the commit is not seen: it may come at any time until the lease ends.
func TestUncommittedWriteLeavesItsMarkers(t *testing.T) {
	for name, write := range map[string]func(s *txShop, ctx context.Context) error{
		"store": func(s *txShop, ctx context.Context) error { return s.update.In(nil).Do(ctx, s.change(1)) },
		"parameter": func(s *txShop, ctx context.Context) error {
			ch := s.change(1)
			ch.Uncommitted = true
			return s.update.Do(ctx, ch)
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTxShop(t, func(w *WritePolicy) { w.Level = LevelBounded })
				outside := context.Background()
				s.want(outside, 1, 1)
				s.drain()
				s.must(write(s, outside))
				s.want(outside, 1, 1)
				s.drain()
				s.want(outside, 1, 1)
				s.commit()
				s.want(outside, 2, 1)
				if n := s.stat("Update").Unknown; n != 1 {
					t.Errorf("%d writes of unknown outcome, want 1", n)
				}
				time.Sleep(11 * time.Second) // virtual: the lease ends
				s.want(outside, 2, 1)
				s.drain()
				s.want(outside, 2, 0)

				ctx, unit := s.begin()
				s.must(write(s, ctx))
				s.want(outside, 2, 0)
				s.must(unit.Mark())
				s.commit()
				s.must(unit.Post(nil))
				s.want(outside, 3, 1)
				s.drain()
				s.want(outside, 3, 0)
			})
		})
	}
}

// What is known only after the write is marked before the commit, which comes later still.
func TestUncommittedWriteMarksWhatItKnowsLate(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	s.want(outside, 1, 1)
	s.drain()
	ch := s.change(1)
	ch.Tags, ch.After, ch.Uncommitted = nil, ch.Tags, true
	s.must(s.update.Do(outside, ch))
	s.want(outside, 1, 1)
	s.drain()
	s.commit()
	s.want(outside, 2, 1)
}

// 1 an outer unit of work; 2 a source inside begins a transaction of its own, which is
// committed; 3 the outer one is rolled back, which takes nothing of the inner one back.
func TestInnerTransactionOutlivesTheOuter(t *testing.T) {
	for _, level := range []Level{LevelBounded, LevelSession} {
		for name, end := range map[string]func(*Unit){
			"discarded":         (*Unit).Discard,
			"discarded, marked": func(u *Unit) { _ = u.Mark(); u.Discard() },
			"not committed":     func(u *Unit) { _ = u.Mark(); _ = u.Post(errConflict) },
		} {
			s := newTxShop(t, func(w *WritePolicy) { w.Level = level })
			outside := context.Background()
			s.want(outside, 1, 1)
			s.drain()
			ctx, outer := s.cache.Begin(outside)
			s.must(s.transact(ctx, &Transactor{cache: s.cache}, []func() error{well}, func(_ context.Context, h handed) error {
				return h.bump(1)
			}))
			end(outer)
			if b := s.get(outside, 1); b.Version != 2 {
				t.Errorf("%v, %s: version %d, want 2, which is committed", level, name, b.Version)
			}
		}
	}
}

// The same for a write past the store that was handed out.
func TestWritePastTheStoreOutlivesTheTransaction(t *testing.T) {
	for _, level := range []Level{LevelBounded, LevelSession} {
		s := newTxShop(t, func(w *WritePolicy) { w.Level = level })
		outside := context.Background()
		s.want(outside, 1, 1)
		s.drain()
		tr := &Transactor{cache: s.cache}
		_ = tr.Run(outside, func(ctx context.Context, tx *Transaction) error {
			return tx.Body(ctx, func(ctx context.Context, u *Unit) error {
				_ = tr.In(u)
				s.must(s.update.Do(ctx, s.change(1)))
				s.commit()
				return errConflict
			})
		})
		if b := s.get(outside, 1); b.Version != 2 {
			t.Errorf("%v: version %d, want 2, which is committed", level, b.Version)
		}
	}
}

// 1 a write past the store that was handed out commits version 2 of a row that only its result
// names; 2 another write commits version 3 and ends; 3 the first one marks the row, alone.
func TestWritePastTheStorePutsNothing(t *testing.T) {
	s := newTxShop(t, nil)
	outside := context.Background()
	tr := &Transactor{cache: s.cache}
	s.must(tr.Run(outside, func(ctx context.Context, tx *Transaction) error {
		return tx.Body(ctx, func(ctx context.Context, u *Unit) error {
			_ = tr.In(u)
			var ret book
			ch := s.change(1)
			run := ch.Run
			ch.Tags, ch.After = nil, ch.Tags
			ch.Run = func(ctx context.Context) error {
				s.must(run(ctx))
				s.commit()
				ret = s.rows[1]
				s.must(s.update.Do(outside, s.change(1)))
				s.commit()
				return nil
			}
			ch.Put = func(p *Puts) { s.byID.Put(p, s.call(1), &ret) }
			return s.update.Do(ctx, ch)
		})
	}))
	if b := s.get(outside, 1); b.Version != 3 {
		t.Errorf("version %d was stored, want 3", b.Version)
	}
}

// 1 the COMMIT of an inner transaction leaves its outcome open; 2 the outer unit ends, in
// whatever way; 3 the inner one is committed after all: its markers must stand until then.
func TestInnerTransactionOfUnknownOutcome(t *testing.T) {
	for name, end := range map[string]func(*Unit){
		"discarded": (*Unit).Discard,
		"committed": func(u *Unit) { _ = u.Mark(); _ = u.Post(nil) },
	} {
		for how, commit := range map[string]func() error{
			"error": func() error { return context.DeadlineExceeded },
			"panic": func() error { panic("driver") },
		} {
			s := newTxShop(t, nil)
			outside := context.Background()
			s.want(outside, 1, 1)
			s.drain()
			ctx, outer := s.cache.Begin(outside)
			func() {
				defer func() { _ = recover() }()
				err := (&Transactor{cache: s.cache}).Run(ctx, func(ctx context.Context, tx *Transaction) error {
					s.must(tx.Body(ctx, func(_ context.Context, u *Unit) error { return s.handOut(u).bump(1) }))
					return commit()
				})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, want the error of COMMIT", err)
				}
			}()
			end(outer)
			s.get(outside, 1)
			s.drain()
			s.commit() // after all
			if b := s.get(outside, 1); b.Version != 2 {
				t.Errorf("%s, %s: version %d, want 2", how, name, b.Version)
			}
		}
	}
}
