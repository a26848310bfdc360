package consistency

import (
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// In each of these schedules a load hands out a version of which the reader's process has
// not been told by the store yet: the push is held back. Whatever stands in that process'
// near cache and tables is older by then and still looks alive. load starts a read whose
// source is asked only when the function it returns is called; that one returns what the
// read returned.
var overtakingLoads = []struct {
	name string
	load func(t *testing.T, reader, writer *process, id int64) (finish func() row)
}{
	{"a load whose snapshot has died reads more than was ever kept near", func(t *testing.T, reader, writer *process, id int64) func() row {
		// 1. the reader's load takes its snapshot, and stalls
		// 2. a write ends that snapshot; another read keeps its result near
		// 3. a write commits, its push is held back
		// 4. the load reads what that write has committed, and returns
		// 5. the next read must not be answered near, nor by the entry of 2
		finish := startLateLoad(t, reader, id)
		mustWrite(t, writer, write{id: id})
		return finish
	}},
	{"a load under a marker reads more than was ever kept near", func(t *testing.T, reader, writer *process, id int64) (finish func() row) {
		// As above, but the load begins while a write is in progress and stores nothing.
		mustWrite(t, writer, write{id: id, before: func() { finish = startLateLoad(t, reader, id) }})
		return finish
	}},
}

// monotonic: what a process has been handed once, it is never handed an older version of.
func (c Config) monotonic(t *testing.T) {
	for _, s := range overtakingLoads {
		t.Run(s.name, func(t *testing.T) {
			db, processes := c.open(t, cachert.LevelSession)
			reader, writer := processes[0], processes[1]
			for id := range int64(max(1, c.Rounds/10)) {
				db.commit(id)
				finish := s.load(t, reader, writer, id)
				warm(t, reader, id)
				asked, release := c.hold()
				mustWrite(t, writer, write{id: id})
				handed := finish()
				next := make(chan row, 1)
				go func() {
					r, err := reader.byID(t.Context(), id, nil)
					if err != nil {
						t.Errorf("read: %v", err)
					}
					next <- r
				}()
				var got row
				select {
				case <-asked: // it waits for the store, which may speak now
					release()
					got = <-next
				case got = <-next:
					release()
				}
				if got.Version < handed.Version {
					t.Fatalf("row %d: read version %d after %d had been handed out", id, got.Version, handed.Version)
				}
				if want := db.byID(id); handed != want {
					t.Fatalf("row %d: the load returned %+v, want %+v", id, handed, want)
				}
			}
			drain(t, processes)
			healthy(t, processes)
		})
	}
}

func (c Config) hold() (asked <-chan struct{}, release func()) {
	if c.Hold == nil {
		return nil, func() {}
	}
	return c.Hold()
}

// warm reads a row until it is answered near. The first read is strict, because its replies
// come behind the pushes of everything that has been written.
func warm(t *testing.T, p *process, id int64) {
	t.Helper()
	read := func() {
		if _, err := p.byID(cachert.Fresh(t.Context()), id, nil); err != nil {
			t.Fatal(err)
		}
	}
	read()
	drain(t, []*process{p})
	before, _ := hits([]*process{p})
	for range 4 { // cells become known, the entry is kept, and is found
		if _, err := p.byID(t.Context(), id, nil); err != nil {
			t.Fatal(err)
		}
		drain(t, []*process{p})
	}
	if after, _ := hits([]*process{p}); after == before {
		t.Fatal("no read was answered near: nothing is tested")
	}
}

// startLateLoad begins a read of a row that is not cached, and returns when it is about to
// ask the source. Finish lets it, and returns what the read has returned.
func startLateLoad(t *testing.T, p *process, id int64) (finish func() row) {
	t.Helper()
	begun, proceed, done := make(chan struct{}), make(chan struct{}), make(chan row, 1)
	go func() {
		r, err := p.byIDWhen(t.Context(), id, func() {
			close(begun)
			<-proceed
		}, nil)
		if err != nil {
			t.Errorf("read: %v", err)
		}
		done <- r
	}()
	select {
	case <-begun:
	case r := <-done:
		t.Fatalf("row %d was cached before its load: %+v", id, r)
	}
	return func() row {
		close(proceed)
		return <-done
	}
}
