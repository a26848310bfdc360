package simulator

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/store"
)

// world is everything that one seed simulates.
type world struct {
	config  Config
	class   Class
	classes map[class]bool // of rows in play
	start   time.Time
	idle    chan struct{} // told when nobody is busy
	quiet   atomic.Bool   // nothing goes wrong any more

	state     sync.Mutex // guards what the parts say it does, and:
	server    *server
	db        *database
	processes []*process
	busy      int  // callers, nemesis, restarts
	kills     int  // that may still happen
	hangs     bool // connections do, or lag behind
	still     bool // nobody sends heartbeats
	reads     int
	marks     map[string]string // who has marked, by token

	mu         sync.Mutex // guards the bookkeeping of steps
	counts     map[string]int
	taken      map[time.Duration]bool
	lines      []line
	faults     []string
	calls      []string
	violations []string
	steps      int
}

func (w *world) broken(b Broken) bool { return w.config.Broken == b }

// now is the virtual time since the beginning.
func (w *world) now() time.Duration { return time.Since(w.start) }

// Run runs one seed and judges it. It must be called inside a testing/synctest bubble.
func Run(config Config) Result {
	w := &world{
		config: config, start: time.Now(), classes: map[class]bool{}, idle: make(chan struct{}, 1), marks: map[string]string{},
		counts: map[string]int{}, taken: map[time.Duration]bool{}, kills: 2,
	}
	w.server = &server{w: w, run: 1, cells: map[string]*cell{}, entries: map[string]entry{}}
	w.db = &database{w: w, rows: map[int64]row{}, locks: map[int64]*transaction{}, objects: map[string]*history{}}
	s := w.step("world")
	w.populate(s)
	for i := range 2 + s.n(2) {
		w.processes = append(w.processes, w.open(i, 0))
	}
	users := s.chance(400)
	for i := range w.processes {
		for j := range 2 {
			name := "p" + strconv.Itoa(i) + string(rune('a'+j))
			var u *user
			if users && j == 1 {
				u = &user{seen: map[string]int{}}
			}
			w.begin()
			go w.call(i, name, u)
		}
	}
	w.begin()
	go w.nemesis()
	<-w.idle
	w.settle()
	return w.end()
}

// begin notes that somebody is busy. Unlike a WaitGroup it may follow when nobody was any more:
// a process that dies by the hand of its keeper is restarted then.
func (w *world) begin() {
	w.state.Lock()
	defer w.state.Unlock()
	w.busy++
}

// rest ends a part of the busy time, when what its last step has woken has gone first.
func (w *world) rest() {
	<-time.After(w.moment(time.Millisecond))
	w.state.Lock()
	defer w.state.Unlock()
	if w.busy--; w.busy > 0 {
		return
	}
	select {
	case w.idle <- struct{}{}:
	default: // it was told before
	}
}

// populate chooses what the seed is about.
func (w *world) populate(s *step) {
	switch n := s.n(100); {
	case n < 70:
		w.class = Within
	case n < 88:
		w.class = Losing
	default:
		w.class = Overdue
	}
	w.hangs = s.chance(500)
	w.classes[[]class{strict, strict, strict, session, session, bounded, bounded, eventual, leased, leased}[s.n(10)]] = true
	if s.chance(200) {
		w.classes[class(s.n(int(classes)))] = true
	}
	for c := range classes {
		if !w.classes[c] {
			continue
		}
		for i := range int64(2) {
			id := c.first() + i
			w.db.rows[id] = row{id, w.db.next(), c.first() + i}
		}
		for i := range int64(3) {
			w.db.add(rowObject(c.first()+i), c)
		}
		for i := range int64(2) {
			w.db.add(listObject(c.first()+i), c)
		}
	}
}

// nemesis breaks things at moments of its own.
func (w *world) nemesis() {
	defer w.rest()
	for range 4 {
		s := w.step("nemesis")
		<-time.After(w.moment(s.within(70 * time.Millisecond)))
		w.state.Lock()
		p := w.processes[s.n(len(w.processes))]
		w.state.Unlock()
		switch n := s.n(100); {
		case w.class == Losing && n < 60:
			w.lose(s)
		case n < 25 && w.hangs:
			if s.fault("hangs "+p.name, 1000) {
				w.watch(s, p, func() { p.client.hang(s.within(100 * time.Millisecond)) })
			}
		case n < 50 && w.hangs:
			if s.fault("slows down "+p.name, 1000) {
				w.watch(s, p, func() { p.client.slow(staleness+s.within(staleness), s.within(100*time.Millisecond)) })
			}
		case n < 60:
			if s.fault("cuts "+p.name, 1000) {
				p.client.lose("cut")
			}
		case n < 80 && w.class == Within:
			if s.fault("kills "+p.name, 1000) {
				w.die(p)
			}
		}
	}
}

// lose lets the store lose state.
func (w *world) lose(s *step) {
	switch n := s.n(100); {
	case n < 45:
		if !s.fault("evicts cells", 1000) {
			return
		}
		w.state.Lock()
		for _, key := range w.server.keys() {
			if s.chance(500) {
				w.server.evict(key)
			}
		}
		w.server.tell()
		w.state.Unlock()
	case n < 60:
		if s.fault("flushes the store", 1000) {
			w.state.Lock()
			w.server.flush()
			w.server.tell()
			w.state.Unlock()
		}
	default:
		empty := s.chance(300)
		w.state.Lock()
		w.server.keep()
		w.state.Unlock()
		<-time.After(w.moment(s.within(60 * time.Millisecond)))
		if !s.fault("restarts the store", 1000) {
			return
		}
		w.state.Lock()
		w.server.restart(empty)
		all := append([]*process(nil), w.processes...)
		for _, p := range all {
			if p.client.conn != nil {
				p.client.conn.hung = true
			}
		}
		w.state.Unlock()
		for _, p := range all {
			p.client.lose("the server restarts")
		}
	}
}

// settle waits until all is quiet, and holds every read against the database: first when no
// marker can stand any more, and what may be stale until then when no entry can.
func (w *world) settle() {
	w.quiet.Store(true)
	w.note("QUIET")
	w.pulse(false)
	<-time.After(lateAtMost + 2*lease)
	for i := range w.processes {
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		if err := w.process(i).cache.Drain(ctx); err != nil {
			w.violate("not drained: %v", err)
		}
		cancel()
	}
	<-time.After(10 * travel)
	if w.compare(func(object string) bool { return !w.excused(object) }) {
		return
	}
	<-time.After(ttl)
	w.compare(w.excused)
}

// compare reads what is due everywhere and reports whether that was everything.
func (w *world) compare(due func(object string) bool) (all bool) {
	w.state.Lock()
	var objects []string
	all = true
	for _, object := range w.db.known() {
		if due(object) {
			objects = append(objects, object)
		} else {
			all = false
		}
	}
	w.state.Unlock()
	w.pulse(true)
	defer w.pulse(false)
	<-time.After(staleness)
	for i := range w.processes {
		p := w.process(i)
		ctx := (&op{w: w, p: p, name: "judge", marked: map[string]bool{}}).context()
		for _, object := range objects {
			for _, ctx := range []context.Context{ctx, cachert.Fresh(ctx)} {
				rows, err := p.read(ctx, object)
				w.state.Lock()
				h := w.db.objects[object]
				last := h.states[len(h.states)-1]
				w.reads++
				w.state.Unlock()
				if err != nil || text(rows) != last.value {
					w.violate("all quiet: %s reads %s = %q, %v; want %q", p.name, object, text(rows), err, last.value)
				}
			}
		}
	}
	return all
}

// end closes everything and sums up.
func (w *world) end() Result {
	<-time.After(2 * storeTimeout) // for the last fills
	r := Result{Class: w.class}
	for _, p := range w.processes {
		for _, m := range p.cache.Stats().Methods {
			r.Hits += m.NearHits + m.StoreHits
			r.Lapsed += m.NearLapsed
			if strings.HasSuffix(m.Method, leased.String()) {
				r.LeasedNear += m.NearHits
			}
		}
		_ = p.cache.Close()
	}
	<-time.After(time.Second) // loads that nobody waits for
	r.Schedule = w.schedule()
	r.Violations, r.Faults, r.Calls, r.Reads, r.Steps = w.violations, w.faults, w.calls, w.reads, w.steps
	return r
}

// foreign reports an error of a read that neither its load nor its caller can have made.
func foreign(err error) bool {
	return !errors.Is(err, errBroken) && !errors.Is(err, context.Canceled) || errors.Is(err, store.ErrDown)
}
