package cachert

import (
	"context"
	"errors"
	"runtime"
	"testing"
	"testing/synctest"
	"time"
)

// 1 the write is marked; 2 reading the old row panics, or ends the goroutine: the source was not
// touched, so the marks can be taken back at once; 3 the row is cached again.
func TestOldThatPanicsTakesItsMarksBack(t *testing.T) {
	for name, end := range map[string]func(){"panic": func() { panic("driver") }, "goexit": runtime.Goexit} {
		for _, level := range []Level{LevelSession, LevelBounded} {
			t.Run(name, func(t *testing.T) {
				s := newShop(t, func(_ *Options, _ *ReadPolicy[*book], w *WritePolicy) { w.Level = level })
				ctx, done := context.Background(), make(chan struct{})
				go func() {
					defer close(done)
					defer func() { _ = recover() }()
					_ = s.update.Do(ctx, Change{
						Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
						Old:  func(context.Context, *Tags) error { end(); return nil },
						Run:  func(context.Context) error { t.Error("the write ran"); return nil },
					})
				}()
				<-done
				for range 2 {
					s.mustGet(ctx, 1)
					s.drain()
				}
				if m := s.stat("ByID"); m.Hits() != 1 || m.Loads != 1 || s.stat("Update").Unknown != 0 {
					t.Errorf("%d hits and %d loads: a marker stands", m.Hits(), m.Loads)
				}
			})
		}
	}
}

// 1 the write is marked; 2 its caller gives up before Run; 3 the source notices, or not: either
// way the markers end, at once or with their lease, and readers never wait for them.
func TestCallerGivesUpBetweenMarkAndRun(t *testing.T) {
	for name, heeds := range map[string]bool{"the source heeds it": true, "the source does not": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, nil)
				s.mustGet(context.Background(), 1)
				s.drain()
				ctx, giveUp := context.WithCancel(context.Background())
				err := s.update.Do(ctx, Change{
					Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
					Old:  func(context.Context, *Tags) error { giveUp(); return nil },
					Run: func(ctx context.Context) error {
						if heeds {
							return ctx.Err()
						}
						s.rows[1] = book{ID: 1, Version: 2}
						return nil
					},
				})
				want := int64(2)
				if heeds {
					want = 1
				}
				if heeds != errors.Is(err, context.Canceled) {
					t.Errorf("the write returned %v", err)
				}
				if b := s.mustGet(context.Background(), 1); b.Version != want {
					t.Errorf("version %d, want %d", b.Version, want)
				}
				<-time.After(11 * time.Second) // the lease
				for range 2 {
					if b := s.mustGet(context.Background(), 1); b.Version != want {
						t.Errorf("version %d after the lease, want %d", b.Version, want)
					}
					s.drain()
				}
				if s.stat("ByID").Hits() == 0 {
					t.Error("not cached again")
				}
			})
		})
	}
}

// The schedule of attempt.go: what only the first attempt has named stays marked, whatever the
// last attempt comes to.
func TestTagsOfAnAttemptBeforeStayMarked(t *testing.T) {
	for name, last := range map[string]error{"the last attempt commits": nil, "the last attempt fails": errors.New("taken")} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newShop(t, nil)
				s.rows[2] = book{ID: 2, Version: 1}
				ctx := context.Background()
				attempts := 0
				inTx := func(ctx context.Context, body func(context.Context) error) error {
					for {
						if attempts++; attempts > 1 {
							return body(ctx)
						}
						if err := body(ctx); err != nil {
							return err
						} // COMMIT is sent; the connection is lost
					}
				}
				write := func(ctx context.Context, id int64) {
					err := s.update.Do(ctx, Change{
						Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
						Run:  func(context.Context) error { return nil },
					})
					if err != nil {
						t.Error(err)
					}
				}
				err := s.cache.Transact(ctx, inTx, func(ctx context.Context) error {
					write(ctx, int64(attempts))
					if attempts > 1 {
						return last
					}
					return nil
				})
				if err != last {
					t.Errorf("%v, want %v", err, last)
				}
				s.mustGet(ctx, 1) // version 1, before the first COMMIT takes effect
				s.mustGet(ctx, 2)
				s.drain()
				s.rows[1] = book{ID: 1, Version: 2}
				if b := s.mustGet(ctx, 1); b.Version != 2 {
					t.Errorf("version %d stays after the first COMMIT took effect", b.Version)
				}
				hits := s.stat("ByID").Hits()
				s.mustGet(ctx, 2)
				if s.stat("ByID").Hits() != hits+1 {
					t.Error("what only the last attempt has named is not cached")
				}
				<-time.After(11 * time.Second)
				s.mustGet(ctx, 1)
				s.drain()
				hits = s.stat("ByID").Hits()
				s.mustGet(ctx, 1)
				if s.stat("ByID").Hits() != hits+1 {
					t.Error("not cached again after the lease")
				}
			})
		})
	}
}

// 1 the write changes the row, and naming what its result names panics; 2 somebody recovers and
// commits all the same: what the arguments name must be dropped.
func TestAUnitIsToldThoughNamingTheResultPanics(t *testing.T) {
	for name, past := range map[string]bool{"its own": false, "past its stores": true} {
		t.Run(name, func(t *testing.T) {
			s := newTxShop(t, nil)
			s.want(context.Background(), 1, 1)
			s.drain()
			ctx, unit := s.begin()
			if past {
				unit.handOut()
			}
			change := s.change(1)
			change.After = func(*Tags) { panic("no such field") }
			func() {
				defer func() { _ = recover() }()
				_ = s.update.Do(ctx, change)
			}()
			s.commit()
			if past { // it was committed apart from the transaction, which is rolled back
				unit.Discard()
			} else {
				s.must(unit.Mark())
				s.must(unit.Post(nil))
			}
			s.want(context.Background(), 2, 1)
		})
	}
}

// The commit of a write that is not seen comes later, and its marks have not arrived: what it
// changed is owed, though naming what its result names panics.
func TestAnUnseenWriteIsOwedThoughNamingTheResultPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorProceed)
		s.mustGet(context.Background(), 1)
		s.drain()
		f.set("mark")
		func() {
			defer func() { _ = recover() }()
			_ = s.update.Do(context.Background(), Change{
				Uncommitted: true,
				Tags:        func(t *Tags) { t.Tag("books/book").Int(1) },
				Run:         func(context.Context) error { return nil },
				After:       func(*Tags) { panic("no such field") },
			})
		}()
		s.mu.Lock()
		s.rows[1] = book{ID: 1, Version: 2}
		s.mu.Unlock()
		f.set()
		<-time.After(11 * time.Second)
		s.drain()
		if v := s.mustGet(context.Background(), 1).Version; v != 2 {
			t.Errorf("version %d, want 2", v)
		}
		_ = s.cache.Close()
	})
}

//  1. an attempt marks book 1, and reads its old row: in the list of author 7
//  2. another write moves the book to author 8, and ends; a reader stores the list of author 8
//  3. the attempt changes the book; its COMMIT is sent, and the connection is lost
//  4. the body runs again, and names book 2 only: the unit does not post book 1, and so does not see
//     that the row was another one when it changed it
func TestAnAttemptBeforeDropsWhatItsRowMayHaveBecome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx, attempts := newShop(t, nil), context.Background(), 0
		s.rows[2] = book{ID: 2, Author: 7, Version: 1}
		inTx := func(ctx context.Context, body func(context.Context) error) error {
			attempts = 1
			if err := body(ctx); err != nil {
				return err
			} // COMMIT is sent; the connection is lost
			attempts = 2
			return body(ctx)
		}
		write := func(ctx context.Context, id int64, run func(b *book)) {
			author := func(t *Tags) { t.Tag("books/author").Int(s.rows[id].Author) }
			err := s.update.Do(ctx, Change{
				Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
				Old:  func(_ context.Context, t *Tags) error { author(t); return nil },
				Run: func(context.Context) error {
					b := s.rows[id]
					run(&b)
					s.rows[id] = b
					return nil
				},
			})
			if err != nil {
				t.Error(err)
			}
		}
		list := func() *book {
			l, err := s.byAuthor(ctx, 8)
			if err != nil || len(l) != 1 {
				t.Fatalf("%v, %v", l, err)
			}
			return l[0]
		}
		err := s.cache.Transact(ctx, inTx, func(tx context.Context) error {
			if attempts == 2 {
				write(tx, 2, func(b *book) { b.Version++ })
				return nil
			}
			write(tx, 1, func(b *book) {
				write(ctx, 1, func(b *book) { b.Author = 8 })
				_ = s.cache.Invalidate(ctx, func(t *Tags) { t.Tag("books/author").Int(8) })
				_, _ = s.list.Get(ctx, Call[[]*book]{
					Key: NewArgs().Int(8), Tags: func(t *Tags) { t.Tag("books/author").Int(8) },
				}, func(context.Context) ([]*book, error) { return []*book{{ID: 1, Author: 8, Version: 1}}, nil })
				synctest.Wait()
				*b = book{ID: 1, Author: 8, Version: 2}
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if b := list(); b.Version != 2 {
			t.Errorf("the list of author 8 holds version %d, want 2 from the source", b.Version)
		}
		_ = s.cache.Close()
	})
}

// 1. an attempt puts the list of author 9, and is rolled back
// 2. the body runs again, and has nothing to do with that list: it must not be stored
func TestAnAttemptBeforePutsNothing(t *testing.T) {
	s, ctx, attempts := newShop(t, nil), context.Background(), 0
	inTx := func(ctx context.Context, body func(context.Context) error) error {
		attempts = 1
		if err := body(ctx); err != nil {
			return err
		}
		attempts = 2
		return body(ctx)
	}
	author := func(t *Tags) { t.Tag("books/author").Int(9) }
	err := s.cache.Transact(ctx, inTx, func(tx context.Context) error {
		id := int64(attempts)
		change := Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
			Run:  func(context.Context) error { return nil },
		}
		if attempts == 1 {
			change.Put = func(p *Puts) {
				s.list.Put(p, Call[[]*book]{Key: NewArgs().Int(9), Tags: author}, []*book{{ID: 1, Author: 9, Version: 2}})
			}
		}
		return s.update.Do(tx, change)
	})
	if err != nil {
		t.Fatal(err)
	}
	if l, err := s.byAuthor(ctx, 9); err != nil || len(l) > 0 {
		t.Errorf("%v, %v: stored by an attempt that was rolled back", l, err)
	}
}
