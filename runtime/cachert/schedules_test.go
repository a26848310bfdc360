package cachert

import (
	"context"
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// Schedules of spec/schedules.md by name, each as the model loses it when the code lacks the
// rule.

// twoProcesses are a writer over a store that can be taken down, and a reader over the same
// state, which is not. They share one database.
func twoProcesses(t *testing.T) (writer, reader *shop, f *flaky) {
	writer, f = flakyShop(t, OnErrorProceed)
	reader = newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Store = f.Store })
	reader.rows = writer.rows
	return writer, reader, f
}

// write commits a new version of a row and offers it to the cache; before and after run
// inside the source, on either side of the commit.
func (s *shop) write(id int64, before, after func()) {
	s.t.Helper()
	var ret *book
	err := s.update.Do(context.Background(), Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
		Run: func(context.Context) error {
			if before != nil {
				before()
			}
			s.mu.Lock()
			b := s.rows[id]
			b.ID = id
			b.Version++
			s.rows[id] = b
			s.mu.Unlock()
			ret = bookCodec.Clone(&b)
			if after != nil {
				after()
			}
			return nil
		},
		Put: func(p *Puts) { s.byID.Put(p, s.call(id), ret) },
	})
	if err != nil {
		s.t.Error(err)
	}
}

func (s *shop) wantVersion(ctx context.Context, id, want int64) {
	s.t.Helper()
	if b := s.mustGet(ctx, id); b.Version != want {
		s.t.Errorf("read version %d, want %d", b.Version, want)
	}
}

// 1. the entry holds version 1
// 2. a writer in another process commits version 2
// 3. it dies before its post: nothing that it has to say arrives any more
func TestCrashBeforeBump(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, f := twoProcesses(t)
		reader.mustGet(context.Background(), 1)
		reader.drain()
		writer.write(1, nil, func() { f.set("post", "probe") })
		reader.wantVersion(context.Background(), 1, 2)
	})
}

// 1. the entry holds version 1, under a generation that stands
// 2. a writer marks, commits version 2 and dies
// 3. its marker expires: the generation must not be the one of 1
func TestMarkerInAKeyOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		writer, reader, f := twoProcesses(t)
		reader.mustGet(context.Background(), 1)
		reader.drain()
		writer.write(1, nil, func() { f.set("post", "probe") })
		<-time.After(11 * time.Second) // the lease, by the bubble's clock
		reader.wantVersion(Fresh(context.Background()), 1, 2)
	})
}

// 1. a reader loads the list with version 1 of book 1, and has not snapshotted its tag
// 2. a writer changes book 1 and names no list
// 3. the reader takes the generation of book 1 only now
// 4. it must not store version 1 under it
func TestSnapshotAfterLoad(t *testing.T) {
	s, ctx := newShop(t, nil), context.Background()
	calls := 0
	s.hook = func() {
		if calls++; calls == 1 {
			s.write(1, nil, nil)
		}
	}
	if _, err := s.byAuthor(ctx, 7); err != nil {
		t.Fatal(err)
	}
	s.drain()
	if l, err := s.byAuthor(ctx, 7); err != nil || l[0].Version != 2 {
		t.Errorf("%+v, %v; want version 2", l, err)
	}
}

// 1. a writer has made version 2 and not committed it
// 2. it must not be in the cache: the writer rolls back
func TestWriteThroughBeforeCommit(t *testing.T) {
	s, failed := newShop(t, nil), errors.New("serialization failure")
	err := s.update.Do(context.Background(), Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run:  func(context.Context) error { return failed },
		Put:  func(p *Puts) { s.byID.Put(p, s.call(1), &book{ID: 1, Version: 2}) },
	})
	if err != failed {
		t.Fatalf("%v, want the source's own error", err)
	}
	s.wantVersion(context.Background(), 1, 1)
}

// 1. a process stores version 1, under the first generations that it has made
// 2. another one commits version 2 and posts
// 3. all cells are evicted, and the entry is not
// 4. a third process makes its first generations: they must not be those of 1
func TestGenerationComesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // one clock
		ctx, st := context.Background(), memstore.New(memstore.Options{MaxCells: 4})
		process := func() *shop {
			return newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Store = st })
		}
		one, two, three := process(), process(), process()
		one.mustGet(ctx, 1)
		one.drain()
		three.rows = map[int64]book{1: {ID: 1, Version: 2}}
		err := two.update.Do(ctx, Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Run:  func(context.Context) error { return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		for i := range 100 {
			_, err := st.Read(ctx, store.ReadRequest{Cells: []string{"other:" + strconv.Itoa(i)}, Fresh: two.cache.fresh, CellTTL: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
		}
		if entries, _ := st.Len(); entries != 1 {
			t.Fatalf("%d entries, want the one of version 1", entries)
		}
		three.wantVersion(ctx, 1, 2)
	})
}

// 1. writer 1 marks, and its marker expires
// 2. writer 0 marks, alone as it seems, and commits version 2
// 3. writer 1 commits version 3
// 4. writer 1 posts: its marker is gone, and writer 0 must hear of it
// 5. writer 0 posts, and must not write version 2 through
func TestPostWithoutMarkerKeepsQuiet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newShop(t, nil)
		committed, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		s.write(1, func() {
			<-time.After(11 * time.Second) // the lease, by the bubble's clock
			go func() {
				defer close(done)
				s.write(1, nil, func() {
					close(committed)
					<-proceed
				})
			}()
			<-committed
		}, nil)
		close(proceed)
		<-done
		s.wantVersion(context.Background(), 1, 3)
	})
}

// 1. writer 1 marks and commits version 2
// 2. writer 0 meets it, commits version 3 and posts
// 3. a replica takes over that has not heard of writer 0
// 4. writer 1 posts: the marker says that it was alone, and it must not offer version 2
//
// The renewed namespace would make version 2 invalid, too: so this looks at what is offered.
func TestFailoverForgetsThatWritersMet(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, f := flakyShop(t, OnErrorProceed)
		offered := false
		err := s.update.Do(context.Background(), Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Run: func(context.Context) error {
				f.changeServer()
				f.lost(store.ErrDown)
				s.drain()
				return nil
			},
			Put: func(*Puts) { offered = true },
		})
		if err != nil || offered {
			t.Errorf("%v, offered %v: want nothing offered after a change of the server", err, offered)
		}
	})
}

// 1. writer 0 creates a row, which it cannot mark, and commits version 1
// 2. writer 1 changes the row, commits version 2 and posts: the cell comes into being
// 3. FLUSHALL
// 4. writer 0 posts, finds no cell, and offers version 1: it must not be valid
func TestAbsentCellWasFlushed(t *testing.T) {
	s, f := flakyShop(t, OnErrorProceed)
	err := s.update.Do(context.Background(), Change{
		Run: func(context.Context) error {
			s.rows[20] = book{ID: 20, Version: 1}
			s.write(20, nil, nil)
			f.Store = memstore.New(memstore.Options{})
			return nil
		},
		After: func(t *Tags) { t.Tag("books/book").Int(20) },
		Put:   func(p *Puts) { s.byID.Put(p, s.call(20), &book{ID: 20, Version: 1}) },
	})
	if err != nil {
		t.Fatal(err)
	}
	s.wantVersion(context.Background(), 20, 2)
}

// 1. a reader has its promises, and loads version 1
// 2. a writer marks, commits version 2 and posts: the promises end
// 3. the reader keeps version 1 near; no push will come
func TestStoreLandsAfterPush(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate := newShop(t, nil), make(chan struct{})
		s.hook = func() { <-gate }
		go func() { _, _ = s.get(context.Background(), 1) }()
		synctest.Wait()
		s.write(1, nil, nil)
		close(gate)
		synctest.Wait()
		s.wantVersion(context.Background(), 1, 2)
	})
}

// 1. a process keeps version 1 near
// 2. a writer in another one marks, commits version 2, posts and returns; the push is on its way
// 3. a strict read must not be answered near
func TestPushToAnotherProcessUnderWay(t *testing.T) {
	s, elsewhere := lateShop(t)
	ctx := context.Background()
	s.mustGet(ctx, 1)
	elsewhere()
	s.wantVersion(ctx, 1, 1) // or there is nothing near
	s.wantVersion(Fresh(ctx), 1, 2)
}

// 1. reader 1 loads version 1 and is slow; reader 0 begins, under the same generations
// 2. a writer in another process commits version 2; the push is on its way
// 3. reader 1 keeps version 1 near
// 4. reader 0 loads version 2; it may not keep it, and must not leave version 1 either
func TestOlderValueStaysNear(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, elsewhere := lateShop(t)
		one, zero := make(chan struct{}), make(chan struct{})
		s.hook = func() { <-one }
		hasty, leave := context.WithCancel(context.Background())
		go func() { _, _ = s.get(hasty, 1) }()
		synctest.Wait()
		leave() // or reader 0 would join its load
		synctest.Wait()
		s.mu.Lock()
		s.hook = nil
		s.mu.Unlock()
		handed := s.startLate(zero)
		elsewhere()
		close(one)
		synctest.Wait()
		s.finishLate(zero, handed)
	})
}

// 1. a read begins under a marker: it will store nothing, and is slow
// 2. the write ends; another read keeps version 1 near
// 3. a writer in another process commits version 2; the push is on its way
// 4. the slow read loads version 2; version 1 must not stay near
func TestOlderValueStaysNearBesideAMiss(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, elsewhere := lateShop(t)
		ctx, cell := context.Background(), "test:{books/book:1}"
		inner := s.cache.store.(*late).Store
		if _, err := inner.Mark(ctx, store.MarkRequest{Token: "w", Cells: []string{cell}, Lease: time.Minute}); err != nil {
			t.Fatal(err)
		}
		gate := make(chan struct{})
		handed := s.startLate(gate)
		_, err := inner.Post(ctx, store.PostRequest{Token: "w", CellTTL: time.Hour, Cells: []store.PostCell{{Key: cell, Fresh: s.cache.fresh()}}})
		if err != nil {
			t.Fatal(err)
		}
		s.mustGet(ctx, 1)
		elsewhere()
		s.wantVersion(ctx, 1, 1) // or there is nothing near
		s.finishLate(gate, handed)
	})
}

// 1. a read begins to load, and is slow; a write ends its snapshot
// 2. another read keeps version 2 near
// 3. a writer in another process deletes the row; the push is on its way
// 4. the slow load finds no row and returns that; nothing is stored, and version 2 must not stay near
func TestOlderValueStaysNearBesideALoadThatIsNotStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, elsewhere := lateShop(t)
		s.byID.policy.Negative = 0
		gate, handed := make(chan struct{}), make(chan error, 1)
		go func() {
			_, err := s.byID.Get(context.Background(), s.call(1), s.lateLoad(gate))
			handed <- err
		}()
		synctest.Wait()
		elsewhere()
		s.mustGet(context.Background(), 1)
		elsewhere()
		delete(s.rows, 1)
		s.wantVersion(context.Background(), 1, 2) // or there is nothing near
		close(gate)
		if err := <-handed; err != errNotFound {
			t.Fatalf("%v, want no row", err)
		}
		if b, err := s.get(context.Background(), 1); err != errNotFound {
			t.Errorf("%+v, %v: want no row", b, err)
		}
	})
}

// startLate begins a read that waits at the gate before it asks the source.
func (s *shop) startLate(gate chan struct{}) (handed chan *book) {
	handed = make(chan *book, 1)
	go func() {
		b, err := s.byID.Get(context.Background(), s.call(1), s.lateLoad(gate))
		if err != nil {
			s.t.Error(err)
		}
		handed <- b
	}()
	synctest.Wait()
	return handed
}

// finishLate lets it return version 2, than which the next read may not be older.
func (s *shop) finishLate(gate chan struct{}, handed chan *book) {
	s.t.Helper()
	close(gate)
	if b := <-handed; b.Version != 2 {
		s.t.Fatalf("the late read returned version %d, want 2", b.Version)
	}
	s.wantVersion(context.Background(), 1, 2)
}

// 1. reader 1 loads version 1, and is slow
// 2. a writer in another process commits version 2 and has not posted
// 3. a read there loads version 2; if it could store it under the generations of 1, then
// 4. reader 0 would find it, be slow to decode it,
// 5. reader 1 would keep version 1 near under the same generations,
// 6. reader 0 would leave it there and return version 2
// 7. the next read may not be older
func TestUnmarkedCommitStoredUnderOldGeneration(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		writer, reader, _ := twoProcesses(t)
		one, zero, handed := make(chan struct{}), make(chan struct{}), make(chan *book, 1)
		reader.hook = func() { <-one }
		go func() { _, _ = reader.get(ctx, 1) }()
		synctest.Wait()
		reader.mu.Lock()
		reader.hook = nil
		reader.mu.Unlock()
		writer.write(1, nil, func() {
			writer.mustGet(ctx, 1)
			writer.drain()
			reader.byID.policy.Codec.Decode = func(b []byte) (*book, error) {
				<-zero
				return bookCodec.Decode(b)
			}
			go func() {
				b, err := reader.get(ctx, 1)
				if err != nil {
					t.Error(err)
				}
				handed <- b
			}()
			synctest.Wait()
			close(one)
			synctest.Wait()
			close(zero)
			if b := <-handed; b.Version != 2 {
				t.Fatalf("reader 0 returned version %d, want 2", b.Version)
			}
			reader.wantVersion(ctx, 1, 2)
		})
	})
}

// 1. writer 1 marks
// 2. writer 0 marks, too, and commits version 2
// 3. writer 1 commits version 3
// 4. writer 0 posts: the marker of writer 1 must still stand, or version 2 is written through
func TestSecondMarkReplacesFirst(t *testing.T) {
	s := newShop(t, nil)
	committed, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	s.write(1, func() {
		go func() {
			defer close(done)
			s.write(1, nil, func() {
				close(committed)
				<-proceed
			})
		}()
		<-committed
	}, func() {
		close(proceed)
		<-done
		s.wantVersion(context.Background(), 1, 3)
	})
	s.wantVersion(context.Background(), 1, 3)
}

// 1. reader 0 starts to load; the database answers with version 1
// 2. a writer marks, commits version 2, posts and returns, and stores nothing
// 3. reader 1 starts, and must not join the load of reader 0
func TestJoinedLoadFromBeforeAWrite(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, gate, handed := newShop(t, nil), make(chan struct{}), make(chan *book, 1)
		s.hook = func() { <-gate }
		go func() { _, _ = s.get(context.Background(), 1) }()
		synctest.Wait()
		s.mu.Lock()
		s.hook = nil
		s.mu.Unlock()
		err := s.update.Do(context.Background(), Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Run:  func(context.Context) error { s.rows[1] = book{ID: 1, Version: 2}; return nil },
		})
		if err != nil {
			t.Fatal(err)
		}
		go func() { handed <- s.mustGet(context.Background(), 1) }()
		synctest.Wait()
		close(gate)
		if b := <-handed; b.Version != 2 {
			t.Errorf("read version %d, want 2", b.Version)
		}
	})
}

// delivery calls before, if set, on the way into each Post that is not failed.
type delivery struct {
	*flaky
	before func()
}

func (d *delivery) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	if d.before != nil && d.fails("post") == nil {
		d.before()
	}
	return d.flaky.Post(ctx, r)
}

// 1. a write commits version 2; neither its mark nor its post has reached the store
// 2. the store is back, the debt is about to be delivered: version 1 is valid there
// 3. a read must not ask the store yet
func TestDebtIsPaidBeforeTheGateOpens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, delivered := &delivery{flaky: &flaky{Store: memstore.New(memstore.Options{})}}, false
		s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Store = d })
		s.mustGet(context.Background(), 1)
		s.drain()
		d.set("mark", "post", "probe")
		s.write(1, nil, nil)
		d.before = func() {
			delivered = true
			s.wantVersion(context.Background(), 1, 2)
		}
		d.set()
		s.drain()
		if !delivered {
			t.Error("nothing was delivered")
		}
	})
}

// 1. a write that marks nothing commits version 2; its outcome is unknown, its post is lost
// 2. the store is back; the renewal that is due when the lease ends is not the one due now
func TestDebtDueLaterDoesNotReplaceTheOneDueNow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &flaky{Store: memstore.New(memstore.Options{})}
		s := newShop(t, func(o *Options, _ *ReadPolicy[*book], w *WritePolicy) {
			o.Store = f
			w.Level = LevelBounded
		})
		s.mustGet(context.Background(), 1)
		s.drain()
		f.set("post", "probe")
		if _, err := s.bump(context.Background(), 1, func() error { return context.DeadlineExceeded }); err == nil {
			t.Fatal("the error is the caller's")
		}
		f.set()
		<-time.After(3 * time.Second) // by the bubble's clock: back, and before the lease ends
		if !s.cache.Stats().Open {
			t.Fatal("the store is back and not trusted")
		}
		s.wantVersion(context.Background(), 1, 2)
	})
}

// slow hands on the answer to the next read only when it may.
type slow struct {
	store.Store
	gate chan struct{}
}

func (s *slow) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	reply, err := s.Store.Read(ctx, r)
	<-s.gate
	return reply, err
}

// 1. reader 0 begins, and is slow
// 2. reader 1 asks, and the store answers with version 1; the reply is on its way
// 3. a writer in another process commits version 2; the push is on its way
// 4. reader 0 loads version 2 and returns it
// 5. reader 1, which has begun before that, is told version 1 and must not keep it near
func TestReadBeginsBeforeItAsks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, elsewhere := lateShop(t)
		zero, one := make(chan struct{}), make(chan struct{})
		handed := s.startLate(zero)
		version1 := s.rows[1]
		s.storeElsewhere(&version1)
		prompt := s.cache.store
		s.cache.store = &slow{prompt, one}
		answered := make(chan *book, 1)
		go func() { answered <- s.mustGet(context.Background(), 1) }()
		synctest.Wait()
		s.cache.store = prompt
		elsewhere()
		close(zero)
		if b := <-handed; b.Version != 2 {
			t.Fatalf("reader 0 returned version %d, want 2", b.Version)
		}
		close(one)
		if b := <-answered; b.Version != 1 {
			t.Fatalf("reader 1 returned version %d, want 1: nothing is tested", b.Version)
		}
		s.wantVersion(context.Background(), 1, 2)
	})
}

//  1. a write marks book 1, and reads its old row: in the list of author 7
//  2. another one moves the book to author 8, and ends; a reader stores the list of author 8
//  3. the first one changes the book, and its outcome is not known: it will not post, and so not see
//     that the row was another one when it changed it
func TestAWriteOfUnknownOutcomeDropsWhatItsRowMayHaveBecome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, ctx := newShop(t, nil), context.Background()
		author := func(id int64) func(*Tags) { return func(t *Tags) { t.Tag("books/author").Int(id) } }
		version := func() (v int64) {
			_, err := s.list.Get(ctx, Call[[]*book]{Key: NewArgs().Int(8), Tags: author(8)}, func(context.Context) ([]*book, error) {
				s.mu.Lock()
				defer s.mu.Unlock()
				v = s.rows[1].Version
				return []*book{{ID: 1, Version: v}}, nil
			})
			if err != nil {
				t.Error(err)
			}
			return v
		}
		change := func(run func(b *book) error) Change {
			return Change{
				Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
				Old:  func(_ context.Context, t *Tags) error { author(s.rows[1].Author)(t); return nil },
				Run: func(context.Context) error {
					b := s.rows[1]
					err := run(&b)
					s.rows[1] = b
					return err
				},
				After: func(t *Tags) { author(s.rows[1].Author)(t) },
			}
		}
		first := change(func(b *book) error {
			if err := s.update.Do(ctx, change(func(b *book) error { b.Author = 8; return nil })); err != nil {
				t.Error(err)
			}
			version()
			synctest.Wait()
			*b = book{ID: 1, Author: 8, Version: 2}
			return context.DeadlineExceeded
		})
		first.After = nil
		if err := s.update.Do(ctx, first); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		if v := version(); v != 2 {
			t.Errorf("the list of author 8 holds version %d, want 2 from the source", v)
		}
		_ = s.cache.Close()
	})
}
