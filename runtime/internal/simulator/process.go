package simulator

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// class is a group of rows that are written at one level.
type class uint8

const (
	strict class = iota
	session
	bounded
	eventual
	leased
	classes
)

func (c class) String() string {
	return [...]string{"strict", "session", "bounded", "eventual", "leased"}[c]
}

func (c class) level() cachert.Level {
	return [...]cachert.Level{cachert.LevelStrict, cachert.LevelSession, cachert.LevelBounded, cachert.LevelEventual, cachert.LevelLeased}[c]
}

// marked reports whether the class promises more than what has arrived.
func (c class) marked() bool { return c <= session || c == leased }

// first is the class's first row, and its first list.
func (c class) first() int64 { return 10 * int64(c) }

// process is one life of one process: a cache, and the wrapper that would be generated.
type process struct {
	w     *world
	index int
	name  string
	cache *cachert.Cache // nil until it is open

	client *client
	dead   chan struct{}
	next   chan struct{} // closed when the following life has begun
	doomed bool          // will be killed; guarded by the world's lock, as is killed
	killed bool
	floors map[string]int

	one    map[class]*cachert.Reader[row]
	list   map[class]*cachert.Reader[[]row]
	writer map[class]*cachert.Writer
}

func (p *process) isDead() bool {
	select {
	case <-p.dead:
		return true
	default:
		return false
	}
}

// open begins a life.
func (w *world) open(index, life int) *process {
	p := &process{
		w: w, index: index, name: "p" + strconv.Itoa(index) + "." + strconv.Itoa(life),
		dead: make(chan struct{}), next: make(chan struct{}), floors: map[string]int{},
		one: map[class]*cachert.Reader[row]{}, list: map[class]*cachert.Reader[[]row]{}, writer: map[class]*cachert.Writer{},
	}
	p.client = &client{p: p}
	o := cachert.Options{
		Namespace: "sim", Store: p.client, StoreTimeout: storeTimeout, Lease: lease, ClockSkew: time.Millisecond,
		Logger: slog.New(slog.DiscardHandler),
	}
	if w.broken(KnownOutcome) {
		o.OutcomeUnknown = func(error) bool { return false }
	}
	var keys []string
	for c := range w.classes {
		for object := range w.db.objects {
			kind, number, _ := strings.Cut(object, ":")
			keys = append(keys, "rows."+kind+c.String()+":"+number)
		}
	}
	slices.Sort(keys)
	cache, err := w.config.Open(o, p.pause, keys)
	if err != nil {
		w.violate("open: %v", err)
		close(p.dead)
		return p
	}
	repo := cache.Repo(cachert.RepoPolicy{Name: "rows"})
	for c := range w.classes {
		level, life, bound := c.level(), ttl, staleness
		write := cachert.WritePolicy{Method: "Write" + c.String(), Level: c.level()}
		switch c {
		case strict:
			level = cachert.LevelSession // read strictly, or not
		case eventual:
			life, bound = eventualTTL, 0
		case leased:
			write.Staleness = bound
		}
		if w.broken(UnmarkedWrites) {
			write.Level = cachert.LevelBounded
		}
		if w.broken(FailOpen) {
			write.OnError = cachert.OnErrorProceed
		}
		p.one[c] = cachert.NewReader(repo, cachert.ReadPolicy[row]{
			Method: "One" + c.String(), Key: "row" + c.String(), Schema: "1", Level: level, Staleness: bound, TTL: life,
			Negative: life, NotFound: []error{errGone}, Codec: rowCodec,
		})
		p.list[c] = cachert.NewReader(repo, cachert.ReadPolicy[[]row]{
			Method: "List" + c.String(), Key: "shelf" + c.String(), Schema: "1", Level: level, Staleness: bound, TTL: life, Codec: rowsCodec,
		})
		p.writer[c] = cachert.NewWriter(repo, write)
	}
	w.state.Lock()
	p.cache = cache
	dead := p.killed
	w.state.Unlock()
	if dead { // while it was opening
		_ = cache.Close()
	}
	return p
}

// pause draws how long the keeper backs off, by the moment: it is the only one to draw. Whether
// that of a dead process comes here before it is closed is nobody's business.
func (p *process) pause(atMost time.Duration) time.Duration {
	if p.isDead() {
		return atMost
	}
	s := p.w.step(p.name, "keeper pauses")
	return s.within(atMost)
}

// die ends a process at a step of its own, unless enough have died. It happens at a moment of
// its own, when whoever else is awake has come to its next step.
func (w *world) die(p *process) bool {
	w.state.Lock()
	ok := w.doom(p)
	w.state.Unlock()
	if ok {
		w.after(1, func() { w.kill(p) })
		<-p.dead
	}
	return ok
}

// doom says whether p may die, and that it will. The caller holds the world's lock.
func (w *world) doom(p *process) bool {
	if p.doomed || w.class != Within || w.kills == 0 {
		return false
	}
	w.kills--
	p.doomed = true
	return true
}

// kill ends a doomed process. Whoever runs in it finds every port dead.
func (w *world) kill(p *process) {
	w.state.Lock()
	p.killed = true
	close(p.dead)
	if n := p.client.conn; n != nil {
		n.end()
		p.client.conn = nil
	}
	cache := p.cache
	w.state.Unlock()
	w.note(p.name + " DIES")
	if cache != nil {
		go func() { _ = cache.Close() }()
	}
	w.begin()
	s := w.step(p.name, "restart")
	w.after(s.within(50*time.Millisecond), func() {
		defer w.rest()
		_, life, _ := strings.Cut(p.name, ".")
		n, _ := strconv.Atoi(life)
		next := w.open(p.index, n+1)
		w.state.Lock()
		w.processes[p.index] = next
		close(p.next)
		w.state.Unlock()
	})
}

// process is the living process of an index.
func (w *world) process(index int) *process {
	for {
		w.state.Lock()
		p := w.processes[index]
		dead := p.killed
		w.state.Unlock()
		if !dead {
			return p
		}
		<-p.next
	}
}

func (p *process) callOne(id int64) cachert.Call[row] {
	return cachert.Call[row]{
		Key:  cachert.NewArgs().Int(id),
		Tags: func(t *cachert.Tags) { t.Tag("rows/row").Int(id) },
	}
}

func (p *process) getOne(ctx context.Context, c class, id int64) ([]row, error) {
	r, err := p.one[c].Get(ctx, p.callOne(id), func(ctx context.Context) (row, error) {
		rows, err := p.load(ctx, rowObject(id))
		if err == nil && len(rows) == 0 {
			err = errGone
		}
		if err != nil {
			return row{}, err
		}
		return rows[0], nil
	})
	switch {
	case err == nil:
		return []row{r}, nil
	case errors.Is(err, errGone):
		return nil, nil
	}
	return nil, err
}

func (p *process) getList(ctx context.Context, c class, shelf int64) ([]row, error) {
	return p.list[c].Get(ctx, cachert.Call[[]row]{
		Key:  cachert.NewArgs().Int(shelf),
		Tags: func(t *cachert.Tags) { t.Tag("rows/shelf").Int(shelf) },
		Rows: func(ret []row, t *cachert.Tags) {
			for _, r := range ret {
				t.Tag("rows/row").Int(r.ID)
			}
		},
	}, func(ctx context.Context) ([]row, error) { return p.load(ctx, listObject(shelf)) })
}

var rowCodec = cachert.Codec[row]{
	Append: func(b []byte, r row) ([]byte, error) { return appendRow(b, r), nil },
	Decode: func(b []byte) (row, error) {
		rows, err := decodeRows(b)
		if err != nil || len(rows) != 1 {
			return row{}, errShort
		}
		return rows[0], nil
	},
}

var rowsCodec = cachert.Codec[[]row]{
	Append: func(b []byte, rows []row) ([]byte, error) {
		for _, r := range rows {
			b = appendRow(b, r)
		}
		return b, nil
	},
	Decode: decodeRows,
	Clone:  slices.Clone[[]row],
}

var errShort = errors.New("simulated: short row")

func appendRow(b []byte, r row) []byte {
	for _, v := range []int64{r.ID, r.Version, r.Shelf} {
		b = binary.BigEndian.AppendUint64(b, uint64(v))
	}
	return b
}

func decodeRows(b []byte) (rows []row, err error) {
	for ; len(b) >= 24; b = b[24:] {
		v := func(i int) int64 { return int64(binary.BigEndian.Uint64(b[8*i:])) }
		rows = append(rows, row{v(0), v(1), v(2)})
	}
	if len(b) > 0 {
		err = errShort
	}
	return rows, err
}
