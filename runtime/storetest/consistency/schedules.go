package consistency

import (
	"errors"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// schedule is one interleaving of a load with a write, by hand. run returns when all three
// have ended and reports what the load returned.
type schedule struct {
	name string
	run  func(t *testing.T, reader, writer *process, id int64)
}

var schedulesByHand = []schedule{
	{"load starts, write commits, load stores", func(t *testing.T, reader, writer *process, id int64) {
		// 1. the reader's load has read the old row
		// 2. the writer marks, commits and posts
		// 3. the reader stores the old row
		finish := startLoad(t, reader, id)
		mustWrite(t, writer, write{id: id})
		finish()
	}},
	{"load starts, write commits and writes through, load stores", func(t *testing.T, reader, writer *process, id int64) {
		finish := startLoad(t, reader, id)
		mustWrite(t, writer, write{id: id, put: true})
		finish()
	}},
	{"write marks, load starts, write commits, load stores", func(t *testing.T, reader, writer *process, id int64) {
		// The load begins under the marker: it may be used, and may not be stored.
		var finish func()
		mustWrite(t, writer, write{id: id, before: func() { finish = startLoad(t, reader, id) }})
		finish()
	}},
	{"load starts, write commits, load stores, write posts", func(t *testing.T, reader, writer *process, id int64) {
		finish := startLoad(t, reader, id)
		mustWrite(t, writer, write{id: id, put: true, after: func() error { finish(); return nil }})
	}},
	{"load starts, write marks, load stores, write commits", func(t *testing.T, reader, writer *process, id int64) {
		finish := startLoad(t, reader, id)
		mustWrite(t, writer, write{id: id, put: true, before: finish})
	}},
	{"two writes overlap: first commits first, and posts last with its old row", func(t *testing.T, reader, writer *process, id int64) {
		mustWrite(t, writer, write{id: id, put: true, after: func() error {
			mustWrite(t, reader, write{id: id, put: true})
			return nil
		}})
	}},
	{"two writes overlap: first commits last, and posts last", func(t *testing.T, reader, writer *process, id int64) {
		mustWrite(t, writer, write{id: id, put: true, before: func() {
			mustWrite(t, reader, write{id: id, put: true})
		}})
	}},
	{"two writes overlap: second commits first, and posts last with its old row", func(t *testing.T, reader, writer *process, id int64) {
		// 1. the first marks
		// 2. the second marks and commits
		// 3. the first commits and posts
		// 4. the second posts, and offers the older row
		committed, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
		second := write{id: id, put: true, after: func() error {
			close(committed)
			<-proceed
			return nil
		}}
		mustWrite(t, writer, write{id: id, put: true, before: func() {
			go func() {
				defer close(done)
				mustWrite(t, reader, second)
			}()
			<-committed
		}})
		close(proceed)
		<-done
	}},
	{"load starts, write commits and returns an error, load stores", func(t *testing.T, reader, writer *process, id int64) {
		finish := startLoad(t, reader, id)
		failed := errors.New("failed after the commit")
		if _, err := writer.write(t.Context(), write{id: id, put: true, after: func() error { return failed }}); err != failed {
			t.Errorf("write: %v, want the method's own error", err)
		}
		finish()
	}},
}

// startLoad begins a read of a row that is not cached, and returns when the source has
// answered. Finish lets the answer through and returns when the read has.
func startLoad(t *testing.T, p *process, id int64) (finish func()) {
	t.Helper()
	answered, proceed, done := make(chan struct{}), make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		_, err := p.byID(t.Context(), id, func() {
			close(answered)
			<-proceed
		})
		if err != nil {
			t.Errorf("read: %v", err)
		}
	}()
	select {
	case <-answered:
	case <-done:
		t.Errorf("row %d was cached before its load", id)
		close(proceed)
		return func() {}
	}
	return func() {
		close(proceed)
		<-done
	}
}

func mustWrite(t *testing.T, p *process, w write) {
	t.Helper()
	if _, err := p.write(t.Context(), w); err != nil {
		t.Errorf("write: %v", err)
	}
}

// schedules runs each one many times, with both in one process and in two, and then reads:
// in the writer's process at once, in the other at once too where the read is strict or leased.
func (c Config) schedules(t *testing.T) {
	for _, level := range []cachert.Level{cachert.LevelSession, cachert.LevelStrict, cachert.LevelLeased} {
		rounds := c.Rounds
		if level == cachert.LevelLeased { // whose writes wait
			rounds = max(1, rounds/10)
		}
		for _, s := range schedulesByHand {
			t.Run(level.String()+"/"+s.name, func(t *testing.T) {
				db, processes := c.open(t, level)
				stale := 0
				for i := range int64(rounds) {
					writer, reader := processes[0], processes[i%2]
					db.commit(i)
					s.run(t, reader, writer, i)
					stale += staleAfter(t, db, processes, i, level)
					if t.Failed() {
						return
					}
				}
				healthy(t, processes)
				t.Logf("%d rounds, %d stale", rounds, stale)
			})
		}
	}
}

// staleAfter reads a row whose writes have all returned, before and after fills under way
// have landed.
func staleAfter(t *testing.T, db *database, processes []*process, id int64, level cachert.Level) (stale int) {
	t.Helper()
	want := db.byID(id)
	check := func(who string, got row, err error) {
		if err != nil {
			t.Errorf("%s: %v", who, err)
		}
		if got != want {
			t.Errorf("%s: stale: %+v, want %+v", who, got, want)
			stale++
		}
	}
	elsewhere := t.Context()
	if level != cachert.LevelLeased {
		elsewhere = cachert.Fresh(elsewhere)
	}
	for _, when := range []string{"at once", "after fills"} {
		got, err := processes[0].byID(t.Context(), id, nil)
		check("the writer's process, "+when, got, err)
		got, err = processes[1].byID(elsewhere, id, nil)
		check("the other process, "+when, got, err)
		drain(t, processes)
	}
	return stale
}
