package cachert

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// More schedules of docs/schedules.md by name.

// 1. writer 1 marks, and its marker vanishes with its lease
// 2. writer 0 marks, alone as it seems, and commits version 2
// 3. writer 1 commits version 3 and dies before its post: nothing is left that could repair
// 4. writer 0 posts, has met nobody, and writes version 2 through: it stays, until its TTL at most
func TestMarkerGoneAndWriterDies(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := context.Background()
		lives := newShop(t, nil)
		marker := store.MarkRequest{
			Token: "writer1", Cells: []string{"test:{books/book:1}"}, Lease: 10 * time.Second,
			Fresh: lives.cache.fresh, CellTTL: time.Hour,
		}
		if _, err := lives.st.Mark(ctx, marker); err != nil { // writer 1, of whom nothing more is heard
			t.Fatal(err)
		}
		<-time.After(11 * time.Second)
		lives.write(1, nil, func() { lives.rows[1] = book{ID: 1, Version: 3} })
		lives.wantVersion(ctx, 1, 2) // the window that the guarantees name
		<-time.After(time.Minute + time.Second)
		lives.wantVersion(ctx, 1, 3)
	})
}

// 1. a list is cached; the row itself is not, and never was
// 2. a write changes the row: its hook must not depend on an entry of the row
func TestAWriteOfARowThatIsNotCachedEndsItsLists(t *testing.T) {
	for _, level := range []Level{LevelSession, LevelBounded, LevelStrict} {
		s := newShop(t, func(_ *Options, p *ReadPolicy[*book], w *WritePolicy) { p.Level, w.Level = level, level })
		ctx := context.Background()
		if _, err := s.byAuthor(ctx, 7); err != nil {
			t.Fatal(err)
		}
		s.drain()
		if _, err := s.bump(ctx, 1, nil); err != nil {
			t.Fatal(err)
		}
		if l, err := s.byAuthor(ctx, 7); err != nil || l[0].Version != 2 {
			t.Errorf("%v: %+v, %v; want version 2", level, l[0], err)
		}
	}
}

// 1. a transaction deletes a row; its tags are not marked yet, for it may be rolled back
// 2. a reader finds nothing in the cache, loads the old row, and stores it
// 3. the transaction is committed: the old row must not be left behind
func TestReaderBetweenADeleteAndItsCommit(t *testing.T) {
	s := newShop(t, nil)
	ctx, outside := context.Background(), context.Background()
	ctx, unit := s.cache.Begin(ctx)
	deleted := false
	err := s.remove.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run:  func(context.Context) error { deleted = true; return nil },
	})
	if err != nil || !deleted {
		t.Fatal(err)
	}
	s.wantVersion(outside, 1, 1)
	s.drain()
	if err := unit.Mark(); err != nil {
		t.Fatal(err)
	}
	s.wantVersion(outside, 1, 1) // between the mark and the COMMIT
	s.drain()
	delete(s.rows, 1)
	if err := unit.Post(nil); err != nil {
		t.Fatal(err)
	}
	if b, err := s.get(outside, 1); err != errNotFound {
		t.Errorf("%+v, %v: the deleted row was restored", b, err)
	}
}

// 1. a write commits; its caller's context has ended by then
// 2. the end of the write has to be told all the same, and at once
func TestPostOutlivesItsCaller(t *testing.T) {
	f := &flaky{Store: memstore.New(memstore.Options{})}
	s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Store = f })
	ctx, giveUp := context.WithCancel(context.Background())
	err := s.update.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run:  func(context.Context) error { s.rows[1] = book{ID: 1, Version: 2}; giveUp(); return nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		s.wantVersion(context.Background(), 1, 2)
		s.drain()
	}
	if st := s.cache.Stats(); s.stat("ByID").Hits() != 1 || st.Journal != 0 || !st.Open {
		t.Errorf("%+v: a marker stands, or the store is not trusted", st)
	}
}
