package consistency

import (
	"context"
	"errors"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// In each of these a session does something through one process, and then reads through
// another one that has kept the old row and the old list near, and to which the push is held
// back.
var sessionsElsewhere = []struct {
	name string
	do   func(t *testing.T, ctx context.Context, elsewhere *process, id int64)
}{
	{"it writes", func(t *testing.T, ctx context.Context, p *process, id int64) {
		mustWriteIn(t, ctx, p, write{id: id})
	}},
	{"it writes, and the value through", func(t *testing.T, ctx context.Context, p *process, id int64) {
		mustWriteIn(t, ctx, p, write{id: id, put: true})
	}},
	{"its write overlaps another one", func(t *testing.T, ctx context.Context, p *process, id int64) {
		mustWriteIn(t, ctx, p, write{id: id, put: true, before: func() { mustWrite(t, p, write{id: id, put: true}) }})
	}},
	{"its write fails after the commit", func(t *testing.T, ctx context.Context, p *process, id int64) {
		if _, err := p.write(ctx, write{id: id, after: func() error { return errWrite }}); !errors.Is(err, errWrite) {
			t.Errorf("write: %v", err)
		}
	}},
	{"the outcome of its write is unknown", func(t *testing.T, ctx context.Context, p *process, id int64) {
		lost := context.DeadlineExceeded
		if _, err := p.write(ctx, write{id: id, after: func() error { return lost }}); !errors.Is(err, lost) {
			t.Errorf("write: %v", err)
		}
	}},
	{"it writes in a unit of work", func(t *testing.T, ctx context.Context, p *process, id int64) {
		ctx, unit := p.Begin(ctx)
		mustWriteIn(t, ctx, p, write{id: id})
		if err := errors.Join(unit.Mark(), unit.Post(nil)); err != nil {
			t.Error(err)
		}
	}},
	{"it writes behind the cache and invalidates", func(t *testing.T, ctx context.Context, p *process, id int64) {
		p.db.commit(id)
		if err := p.Invalidate(ctx, func(t *cachert.Tags) { t.Tag("rows/row").Int(id) }); err != nil {
			t.Error(err)
		}
	}},
	{"it reads what somebody else wrote", func(t *testing.T, ctx context.Context, p *process, id int64) {
		mustWrite(t, p, write{id: id})
		readBoth(t, ctx, p, id)
	}},
	{"it reads near what somebody else wrote", func(t *testing.T, ctx context.Context, p *process, id int64) {
		mustWrite(t, p, write{id: id})
		keepNear(t, p, id)
		readBoth(t, ctx, p, id)
	}},
	{"it reads what somebody else is about to have written", func(t *testing.T, ctx context.Context, p *process, id int64) {
		mustWrite(t, p, write{id: id, after: func() error { readBoth(t, ctx, p, id); return nil }})
	}},
}

// sessions: with its token a session reads through any process what it wrote through another
// one, and nothing older than what it read there. Each row is alone on its shelf. The first read
// brings the pushes along, so it is now the row and now the list.
func (c Config) sessions(t *testing.T) {
	for _, s := range sessionsElsewhere {
		t.Run(s.name, func(t *testing.T) {
			db, processes := c.open(t, cachert.LevelSession)
			reader, elsewhere := processes[0], processes[1]
			for id := range int64(shelves) {
				mustWrite(t, elsewhere, write{id: id})
				if c.Hold != nil { // else nothing near can be old
					warm(t, reader, id)
				}
				keepNear(t, reader, id)
				old := db.byID(id)
				asked, release := c.hold()
				release = sync.OnceFunc(release)
				t.Cleanup(release)
				session := elsewhere.NewSession("")
				s.do(t, cachert.WithSession(t.Context(), session), elsewhere, id)
				want := db.byID(id)
				if c.Hold != nil { // the control: who has no token is answered near
					if one, list := readBoth(t, t.Context(), reader, id); one != old || list != old {
						t.Fatalf("without the token: read %+v and listed %+v, and want the old %+v: nothing is tested", one, list, old)
					}
				}
				token := session.Token()
				if token == "" {
					t.Fatal("the token is empty")
				}
				again := cachert.WithSession(t.Context(), reader.NewSession(token))
				got := make(chan [2]row, 1)
				go func() {
					one, list := readBoth(t, again, reader, id)
					got <- [2]row{one, list}
				}()
				var pair [2]row
				select {
				case <-asked: // it waits for the store, which may speak now
					release()
					pair = <-got
				case pair = <-got:
					release()
				}
				if pair != [2]row{want, want} {
					t.Fatalf("row %d: with the token: read %+v and listed %+v, want %+v", id, pair[0], pair[1], want)
				}
			}
			drain(t, processes)
			healthy(t, processes)
		})
	}
}

func mustWriteIn(t *testing.T, ctx context.Context, p *process, w write) {
	t.Helper()
	if _, err := p.write(ctx, w); err != nil {
		t.Errorf("write: %v", err)
	}
}

// keepNear reads a row and its list until they are near, if there is room.
func keepNear(t *testing.T, p *process, id int64) {
	t.Helper()
	for range 4 {
		readBoth(t, t.Context(), p, id)
		drain(t, []*process{p})
	}
}

// readBoth reads a row by itself and in its list, or the other way round.
func readBoth(t *testing.T, ctx context.Context, p *process, id int64) (one, list row) {
	t.Helper()
	byItself := func() {
		var err error
		if one, err = p.byID(ctx, id, nil); err != nil {
			t.Errorf("read: %v", err)
		}
	}
	inList := func() {
		rows, err := p.byShelf(ctx, row{ID: id}.shelf())
		if err != nil {
			t.Errorf("list: %v", err)
		}
		for _, r := range rows {
			if r.ID == id {
				list = r
			}
		}
	}
	if id%2 == 0 {
		byItself()
		inList()
	} else {
		inList()
		byItself()
	}
	return one, list
}
