package cachert

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// noted is an Outbox that takes note.
type noted struct {
	rows   map[string]OutboxRow // not delivered
	txs    []any
	failed error
}

func (n *noted) Add(_ context.Context, tx any, row OutboxRow) error {
	if n.failed != nil {
		return n.failed
	}
	n.txs = append(n.txs, tx)
	n.rows[row.ID] = row
	return nil
}

func (n *noted) Delivered(ids []string) {
	for _, id := range ids {
		delete(n.rows, id)
	}
}

// only is the row that was not delivered.
func (n *noted) only(t *testing.T) OutboxRow {
	t.Helper()
	if len(n.rows) != 1 {
		t.Fatalf("%d rows, want one: %v", len(n.rows), n.rows)
	}
	for _, r := range n.rows {
		return r
	}
	return OutboxRow{}
}

// withOutbox is a shop whose writes say onerror=outbox.
func withOutbox(t *testing.T, level Level) (*txShop, *noted) {
	n := &noted{rows: map[string]OutboxRow{}}
	s := &txShop{pending: map[int64]book{}}
	s.shop = newShop(t, func(o *Options, _ *ReadPolicy[*book], w *WritePolicy) {
		s.store = &counted{flaky: &flaky{Store: o.Store.(*memstore.Store)}}
		o.Store, o.Outbox = s.store, n
		w.OnError, w.Level = OnErrorOutbox, level
	})
	return s, n
}

var row1 = []string{"test:{books/book:1}"}

// A unit writes its row through the transaction, and gives it up when the store was told.
func TestUnitWritesItsRowThroughTheTransaction(t *testing.T) {
	for _, level := range []Level{LevelBounded, LevelSession} {
		s, n := withOutbox(t, level)
		ctx, unit := s.begin()
		s.must(s.bump(ctx, 1))
		if len(n.txs) != 0 {
			t.Error("a row before the end of the transaction")
		}
		s.must(unit.MarkTx("tx"))
		if r := n.only(t); n.txs[0] != "tx" || r.Lease != 0 || r.Namespace != "test" || !slices.Equal(r.Cells, row1) {
			t.Errorf("%v through %v", r, n.txs)
		}
		s.commit()
		s.must(unit.Post(nil))
		if len(n.rows) != 0 {
			t.Errorf("rows stay: %v", n.rows)
		}
	}
}

// The row stays when the store was not told, and when it is not known what came of COMMIT.
func TestRowStaysUntilTheStoreIsTold(t *testing.T) {
	s, n := withOutbox(t, LevelSession)
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	s.must(unit.MarkTx("tx"))
	s.store.set("read", "mark", "post", "probe")
	var told *NotToldError
	if err := unit.Post(nil); !errors.As(err, &told) {
		t.Fatal(err)
	}
	n.only(t)

	s, n = withOutbox(t, LevelSession)
	ctx, unit = s.begin()
	s.must(s.bump(ctx, 1))
	s.must(unit.MarkTx("tx"))
	s.must(unit.Post(context.DeadlineExceeded))
	n.only(t)
}

// A write that commits by itself leaves an intent before it runs, due when its lease is over.
func TestIntentOfALoneWrite(t *testing.T) {
	s, n := withOutbox(t, LevelBounded)
	ran := false
	change := Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run: func(context.Context) error {
			ran = true
			if r := n.only(t); n.txs[0] != nil || r.Lease != 10*time.Second || !slices.Equal(r.Cells, row1) {
				t.Errorf("%v through %v", r, n.txs)
			}
			return nil
		},
	}
	s.must(s.update.Do(context.Background(), change))
	if !ran || len(n.rows) != 0 {
		t.Errorf("ran %v, rows %v", ran, n.rows)
	}
	// What only the result will name is the whole namespace's.
	change.After = func(*Tags) {}
	change.Run = func(context.Context) error {
		if r := n.only(t); !slices.Equal(r.Cells, []string{"test:{*}"}) {
			t.Errorf("%v", r)
		}
		return context.DeadlineExceeded
	}
	if err := s.update.Do(context.Background(), change); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
	n.only(t) // its outcome is not known
	// And so is a write of a transaction that somebody else commits.
	change.After, change.Uncommitted = nil, true
	change.Run = func(context.Context) error { return nil }
	s.must(s.update.Do(context.Background(), change))
	if len(n.rows) != 2 {
		t.Errorf("%v: the commit of nobody knows what", n.rows)
	}
}

// What a method fills in is not in the intent, but in a row of its own when it counts.
func TestRowOfFilledArguments(t *testing.T) {
	for _, down := range []bool{false, true} {
		s, n := withOutbox(t, LevelBounded)
		if down {
			s.store.set("read", "mark", "post", "probe")
		}
		id := int64(0)
		s.must(s.update.Do(context.Background(), Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(id) },
			Run:  func(context.Context) error { id = 1; return nil },
		}))
		kept := slices.ContainsFunc(slices.Collect(maps.Values(n.rows)), func(r OutboxRow) bool { return slices.Equal(r.Cells, row1) })
		if kept != down || !down && len(n.rows) > 0 {
			t.Errorf("store down %v: rows %v", down, n.rows)
		}
	}
}

// Without a row nothing is written, and no marker is left; a rollback gives up intents.
func TestNoRowNoWrite(t *testing.T) {
	s, n := withOutbox(t, LevelSession)
	s.want(context.Background(), 1, 1)
	n.failed = errors.New("no such table")
	err := s.update.Do(context.Background(), Change{
		Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
		Run:  func(context.Context) error { t.Error("Run was called"); return nil },
	})
	if !errors.Is(err, ErrRefused) || !errors.Is(err, n.failed) {
		t.Errorf("%v, want ErrRefused", err)
	}
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	if err := unit.Mark(); !errors.Is(err, ErrRefused) || !errors.Is(err, n.failed) {
		t.Errorf("%v, want ErrRefused", err)
	}
	unit.Discard()
	s.want(context.Background(), 1, 1)
	s.must(s.cache.Drain(context.Background()))
	s.want(context.Background(), 1, 0) // no marker stands

	n.failed = nil
	for _, level := range []Level{LevelBounded, LevelSession} {
		s, n = withOutbox(t, level)
		ctx, unit = s.begin()
		s.must(s.bump(ctx, 1))
		s.must(unit.Mark())
		n.only(t)
		unit.Discard()
		if len(n.rows) != 0 {
			t.Errorf("rows of a rollback: %v", n.rows)
		}
	}
}

// A store that is down refuses nothing.
func TestOutboxProceedsWithoutTheStore(t *testing.T) {
	s, n := withOutbox(t, LevelStrict)
	s.store.set("read", "mark", "post", "probe")
	ctx, unit := s.begin()
	s.must(s.bump(ctx, 1))
	s.must(unit.MarkTx("tx"))
	s.commit()
	if err := unit.Post(nil); err == nil {
		t.Error("the store was told")
	}
	n.only(t)
}

// A write that goes past the store it was given may be committed before its unit.
func TestIntentOfAWritePastTheUnit(t *testing.T) {
	s, n := withOutbox(t, LevelBounded)
	ctx, unit := s.begin()
	unit.handOut()
	s.must(s.bump(ctx, 1))
	if r := n.only(t); r.Lease == 0 || !slices.Equal(r.Cells, row1) {
		t.Errorf("%v", r)
	}
	unit.Discard()
	if len(n.rows) != 0 {
		t.Errorf("rows stay after the store was told: %v", n.rows)
	}
}

// 1. the row of a write that sets no marker is committed; it is due when the lease is over
// 2. the source waits for a lock, longer than that
// 3. a relay delivers the row and deletes it
// 4. the source commits, and the process dies
//
// So the source is told to stop before 3, whether or not there are markers.
func TestASourceDoesNotOutliveItsIntent(t *testing.T) {
	for level, down := range map[Level]bool{LevelBounded: false, LevelSession: true} {
		for _, uncommitted := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s, n := withOutbox(t, level)
				if down {
					s.store.set("read", "mark", "post", "probe")
				}
				if uncommitted && down { // the gate is closed already
					s.must(s.bump(context.Background(), 1))
				}
				stopped := false
				err := s.update.Do(context.Background(), Change{
					Tags:        func(t *Tags) { t.Tag("books/book").Int(2) },
					Uncommitted: uncommitted,
					Run: func(ctx context.Context) error {
						select {
						case <-ctx.Done():
							stopped = true
							return ctx.Err()
						case <-time.After(10 * time.Second): // the lease: the row is due
							return nil
						}
					},
				})
				if !stopped || !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v, store down %v, uncommitted %v: it could commit after a relay has taken the row: %v", level, down, uncommitted, err)
				}
				if len(n.rows) == 0 {
					t.Error("the row is gone, and nobody knows what came of the write")
				}
				_ = s.cache.Close()
			})
		}
	}
}

// Deliver renews what the cells say, and nothing else's.
func TestDeliver(t *testing.T) {
	s, _ := withOutbox(t, LevelSession)
	ctx := context.Background()
	for _, cells := range [][]string{row1, nil} {
		s.want(ctx, 1, 1)
		s.must(s.cache.Drain(ctx))
		s.want(ctx, 1, 0)
		s.must(s.cache.Deliver(ctx, cells))
	}
	s.want(ctx, 1, 1)
	for _, cell := range []string{"", "test:{books/book:1", "other:{books/book:1}", "test:books"} {
		if err := s.cache.Deliver(ctx, []string{cell}); !errors.Is(err, ErrNotACell) {
			t.Errorf("%q: %v, want ErrNotACell", cell, err)
		}
	}
	s.store.set("read", "mark", "post", "probe")
	if err := s.cache.Deliver(ctx, row1); !errors.Is(err, store.ErrDown) {
		t.Errorf("%v, want ErrDown", err)
	}
	if n := s.cache.gate.pending(); n != 0 {
		t.Errorf("%d journalled: that is the row's to do", n)
	}
}

func TestOutboxIsMissing(t *testing.T) {
	defer func() {
		if text, _ := recover().(string); !strings.Contains(text, "books.Update says onerror=outbox") {
			t.Errorf("panic %q", text)
		}
	}()
	newShop(t, func(_ *Options, _ *ReadPolicy[*book], w *WritePolicy) { w.OnError = OnErrorOutbox })
}

// stopping is a store in whose marks the process is stopped for a while, times times.
type stopping struct {
	store.Store
	times int
	marks int
}

func (s *stopping) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	s.marks++
	cells, err := s.Store.Mark(context.WithoutCancel(ctx), r)
	if s.times > 0 {
		s.times--
		time.Sleep(r.Lease * 3 / 4)
	}
	return cells, err
}

// The process is stopped while it marks: COMMIT is sent under new marks or not at all.
func TestStoppedBeforeCommit(t *testing.T) {
	for times, refused := range []bool{false, false, true} {
		synctest.Test(t, func(t *testing.T) {
			stop := &stopping{times: times}
			s := &txShop{pending: map[int64]book{}}
			s.shop = newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) {
				stop.Store = o.Store
				o.Store = stop
			})
			ctx, unit := s.begin()
			s.must(s.bump(ctx, 1))
			err := unit.Mark()
			if errors.Is(err, ErrRefused) != refused || !refused && err != nil {
				t.Errorf("stopped %d times: %v", times, err)
			}
			if want := min(times+1, 2); stop.marks != want {
				t.Errorf("stopped %d times: %d marks, want %d", times, stop.marks, want)
			}
			unit.Discard()
			s.must(s.cache.Close())
		})
	}
}
