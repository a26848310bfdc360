package consistency

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/store"
)

// shelves is how many lists the rows are spread over.
const shelves = 4

// row is what the source keeps. Versions of one row grow with each commit.
type row struct{ ID, Version int64 }

func (r row) shelf() int64 { return r.ID % shelves }

// database is the source: one row per id, commits one after another.
type database struct {
	mu   sync.Mutex
	rows map[int64]row
}

func (d *database) commit(id int64) row {
	d.mu.Lock()
	defer d.mu.Unlock()
	r := d.rows[id]
	r.ID, r.Version = id, r.Version+1
	d.rows[id] = r
	return r
}

func (d *database) byID(id int64) row {
	d.mu.Lock()
	defer d.mu.Unlock()
	return row{ID: id, Version: d.rows[id].Version}
}

func (d *database) byShelf(shelf int64) []row {
	d.mu.Lock()
	defer d.mu.Unlock()
	var out []row
	for _, r := range d.rows {
		if r.shelf() == shelf {
			out = append(out, r)
		}
	}
	slices.SortFunc(out, func(a, b row) int { return int(a.ID - b.ID) })
	return out
}

// process is one Cache over the database, with the wrapper that would be generated for it.
type process struct {
	*cachert.Cache
	db     *database
	one    *cachert.Reader[row]
	list   *cachert.Reader[[]row]
	update *cachert.Writer
}

// open makes two processes over one database and one store.
func (c Config) open(t *testing.T, level cachert.Level) (*database, []*process) {
	t.Helper()
	db := &database{rows: map[int64]row{}}
	namespace := "consistency-" + rand.Text()[:12]
	one, two := c.Stores(t)
	return db, []*process{
		newProcess(t, db, namespace, one, level),
		newProcess(t, db, namespace, two, level),
	}
}

// leasedStaleness is short, because each write waits as long: it is not near hits that are
// counted here, but whether any of them is old.
const leasedStaleness = 5 * time.Millisecond

func newProcess(t *testing.T, db *database, namespace string, st store.Store, level cachert.Level) *process {
	t.Helper()
	cache, err := cachert.Open(cachert.Options{
		Namespace:    namespace,
		Store:        st,
		StoreTimeout: 5 * time.Second, // a slow machine is not what is tested
		Lease:        time.Minute,
		Logger:       slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cache.Close(); err != nil {
			t.Error(err)
		}
	})
	repo := cache.Repo(cachert.RepoPolicy{Name: "rows"})
	var bound time.Duration
	if level == cachert.LevelLeased {
		bound = leasedStaleness
	}
	return &process{
		Cache:  cache,
		db:     db,
		one:    cachert.NewReader(repo, cachert.ReadPolicy[row]{Method: "ByID", Key: "ByID", Schema: "1", Level: level, Staleness: bound, TTL: time.Hour, Codec: rowCodec}),
		list:   cachert.NewReader(repo, cachert.ReadPolicy[[]row]{Method: "ByShelf", Key: "ByShelf", Schema: "1", Level: level, Staleness: bound, TTL: time.Hour, Codec: rowsCodec}),
		update: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Update", Level: level, Staleness: bound}),
	}
}

func (p *process) call(id int64) cachert.Call[row] {
	return cachert.Call[row]{
		Key:  cachert.NewArgs().Int(id),
		Tags: func(t *cachert.Tags) { t.Tag("rows/row").Int(id) },
	}
}

// byID reads one row. During, if not nil, runs between the source's answer and its return.
func (p *process) byID(ctx context.Context, id int64, during func()) (row, error) {
	return p.byIDWhen(ctx, id, nil, during)
}

// byIDWhen is byID whose load, if there is one, calls before first.
func (p *process) byIDWhen(ctx context.Context, id int64, before, during func()) (row, error) {
	return p.one.Get(ctx, p.call(id), func(context.Context) (row, error) {
		if before != nil {
			before()
		}
		r := p.db.byID(id)
		if during != nil {
			during()
		}
		return r, nil
	})
}

// byShelf reads the rows of one shelf; their tags are known only from the result.
func (p *process) byShelf(ctx context.Context, shelf int64) ([]row, error) {
	return p.list.Get(ctx, cachert.Call[[]row]{
		Key:  cachert.NewArgs().Int(shelf),
		Tags: func(t *cachert.Tags) { t.Tag("rows/shelf").Int(shelf) },
		Rows: func(ret []row, t *cachert.Tags) {
			for _, r := range ret {
				t.Tag("rows/row").Int(r.ID)
			}
		},
	}, func(context.Context) ([]row, error) { return p.db.byShelf(shelf), nil })
}

// write is one call of the wrapper's write method.
type write struct {
	id     int64
	put    bool         // write the new row through
	before func()       // runs when the marks stand, before the commit
	after  func() error // runs after the commit; what it returns is the method's error
}

func (p *process) write(ctx context.Context, w write) (ret row, err error) {
	change := cachert.Change{
		Tags: func(t *cachert.Tags) {
			t.Tag("rows/row").Int(w.id)
			t.Tag("rows/shelf").Int(row{ID: w.id}.shelf())
		},
		Run: func(context.Context) error {
			if w.before != nil {
				w.before()
			}
			ret = p.db.commit(w.id)
			if w.after != nil {
				return w.after()
			}
			return nil
		},
	}
	if w.put {
		change.Put = func(puts *cachert.Puts) { p.one.Put(puts, p.call(w.id), ret) }
	}
	err = p.update.Do(ctx, change)
	return ret, err
}

// hits sums up what the caches answered themselves.
func hits(processes []*process) (near, store uint64) {
	for _, p := range processes {
		for _, m := range p.Stats().Methods {
			near, store = near+m.NearHits, store+m.StoreHits
		}
	}
	return near, store
}

// healthy fails the test when the run was not what it seems: failures that the caches
// survived mean that the source answered and the protocol was not at work.
func healthy(t *testing.T, processes []*process) {
	t.Helper()
	for _, p := range processes {
		for _, m := range p.Stats().Methods {
			if m.StoreErrors+m.CodecErrors+m.MarkersLost+m.Refused > 0 {
				t.Errorf("%s: %d store errors, %d codec errors, %d markers lost, %d refused", m.Method, m.StoreErrors, m.CodecErrors, m.MarkersLost, m.Refused)
			}
		}
	}
}

func drain(t *testing.T, processes []*process) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for _, p := range processes {
		if err := p.Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
}

var errShort = errors.New("short row")

var rowCodec = cachert.Codec[row]{
	Append: appendRow,
	Decode: func(b []byte) (row, error) {
		r, rest, err := decodeRow(b)
		if err == nil && len(rest) > 0 {
			err = errShort
		}
		return r, err
	},
}

var rowsCodec = cachert.Codec[[]row]{
	Append: func(b []byte, rows []row) (_ []byte, err error) {
		for _, r := range rows {
			if b, err = appendRow(b, r); err != nil {
				return nil, err
			}
		}
		return b, nil
	},
	Decode: func(b []byte) (rows []row, err error) {
		for len(b) > 0 {
			var r row
			if r, b, err = decodeRow(b); err != nil {
				return nil, err
			}
			rows = append(rows, r)
		}
		return rows, nil
	},
	Clone: slices.Clone[[]row],
}

func appendRow(b []byte, r row) ([]byte, error) {
	return binary.AppendVarint(binary.AppendVarint(b, r.ID), r.Version), nil
}

func decodeRow(b []byte) (r row, rest []byte, err error) {
	for _, field := range []*int64{&r.ID, &r.Version} {
		v, n := binary.Varint(b)
		if n <= 0 {
			return r, nil, errShort
		}
		*field, b = v, b[n:]
	}
	return r, b, nil
}
