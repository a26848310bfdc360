package simulator

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// server is what the processes' connections lead to: cells and entries, written from the
// port's contract alone so that no store checks itself. The world's lock guards it.
type server struct {
	w       *world
	run     int // names this life of the server
	cells   map[string]*cell
	entries map[string]entry
	kept    *server // an older state, for a restart
	pushes  []push  // to be sent
	others  int     // generations made by the server
}

type entry struct {
	value   []byte
	expires time.Time
}

// cell is absent, or holds a generation, or markers.
type cell struct {
	generation store.Generation
	expires    time.Time
	markers    []marker
	tracked    []*conn          // who has to be told when the generation goes
	before     store.Generation // RevivedCell only
	made       int              // CountedCells only
}

type marker struct {
	token   string
	expires time.Time
	met     bool
}

// cell returns the settled cell of key.
func (s *server) cell(key string) *cell {
	c := s.cells[key]
	if c == nil {
		c = new(cell)
		s.cells[key] = c
	}
	now := time.Now()
	if !now.Before(c.expires) {
		s.drop(key, c)
	}
	had := len(c.markers) > 0
	c.markers = slices.DeleteFunc(c.markers, func(m marker) bool { return !now.Before(m.expires) })
	if s.w.broken(RevivedCell) && had && len(c.markers) == 0 && c.before != "" {
		c.generation, c.expires = c.before, now.Add(time.Hour)
	}
	return c
}

// drop takes a cell's generation and sends word of it.
func (s *server) drop(key string, c *cell) {
	if c.generation == "" {
		return
	}
	c.generation = ""
	for _, to := range c.tracked {
		s.pushes = append(s.pushes, push{to, key})
	}
	c.tracked = nil
}

// push is word of a cell that has changed.
type push struct {
	to  *conn
	key string
}

// tell sends the pushes that the last request has caused, in an order that does not depend on
// that of its cells.
func (s *server) tell() {
	slices.SortFunc(s.pushes, func(a, b push) int {
		return cmp.Or(strings.Compare(a.to.c.p.name, b.to.c.p.name), strings.Compare(a.key, b.key))
	})
	for _, p := range s.pushes {
		p.to.push(p.key)
	}
	s.pushes = nil
}

func (s *server) set(key string, c *cell, g store.Generation, life time.Duration) store.Generation {
	s.drop(key, c)
	if s.w.broken(CountedCells) {
		c.made++
		g = store.Generation(strconv.Itoa(c.made))
	}
	c.generation, c.expires = g, time.Now().Add(life)
	return g
}

// another is a generation that the request does not know of, and a new one whenever that runs:
//
//  1. a post finds that writers overlapped: the cell takes another generation
//  2. a reader stores an entry under it; another write ends it
//  3. the post runs once more: were it the same one, the entry would be valid again
func (s *server) another(g store.Generation) store.Generation {
	if !s.w.broken(SameAgain) {
		s.others++
	}
	return g + "r" + store.Generation(strconv.Itoa(s.others))
}

// look is what a reader sees; an absent cell is made.
func (s *server) look(key string, fresh func() store.Generation, life time.Duration) store.Cell {
	c := s.cell(key)
	if len(c.markers) > 0 && c.generation == "" {
		return store.Cell{Marked: true}
	}
	if c.generation == "" {
		s.set(key, c, fresh(), life)
	}
	return store.Cell{Generation: c.generation}
}

func (s *server) mark(key, token string, life time.Duration) {
	c := s.cell(key)
	if c.generation != "" {
		c.before = c.generation
	}
	if !s.w.broken(KeptGeneration) {
		s.drop(key, c)
	}
	until := time.Now().Add(life)
	for i := range c.markers {
		if m := &c.markers[i]; m.token == token {
			if m.expires.Before(until) {
				m.expires = until
			}
			return
		}
	}
	if s.w.broken(OneSlot) {
		c.markers = nil
	}
	s.meet(c)
	c.markers = append(c.markers, marker{token, until, len(c.markers) > 0})
}

// meet tells all writers in a cell that they are not alone.
func (s *server) meet(c *cell) {
	for i := range c.markers {
		c.markers[i].met = true
	}
}

func (s *server) post(key, token string, fresh store.Generation, life time.Duration) store.Outcome {
	c := s.cell(key)
	i := slices.IndexFunc(c.markers, func(m marker) bool { return m.token == token })
	if i < 0 {
		switch {
		case s.w.broken(NoRepair):
		case len(c.markers) > 0:
			s.meet(c)
		default:
			s.set(key, c, s.another(fresh), life)
		}
		return store.Lost
	}
	met := c.markers[i].met && !s.w.broken(BlindPost)
	c.markers = slices.Delete(c.markers, i, i+1)
	switch {
	case len(c.markers) > 0:
		return store.Pending
	case met:
		s.set(key, c, s.another(fresh), life)
		return store.Replaced
	}
	s.set(key, c, fresh, life)
	return store.Taken
}

func (s *server) bump(b store.BumpCell, life time.Duration) store.Outcome {
	c := s.cell(b.Key)
	switch {
	case len(c.markers) > 0:
		s.meet(c)
		return store.Pending
	case c.generation == "" && b.Absent, c.generation != "" && c.generation == b.Known, s.w.broken(BlindBump):
		s.set(b.Key, c, b.Fresh, life)
		return store.Taken
	}
	s.set(b.Key, c, s.another(b.Fresh), life)
	return store.Replaced
}

func (s *server) entry(key string) []byte {
	e, ok := s.entries[key]
	if !ok || !time.Now().Before(e.expires) {
		return nil
	}
	return e.value
}

func (s *server) store(e store.Entry) {
	s.entries[e.Key] = entry{slices.Clone(e.Value), time.Now().Add(e.TTL)}
}

func (s *server) renew(key string, life time.Duration) {
	if c := s.cell(key); c.generation != "" && time.Until(c.expires) < life/2 {
		c.expires = time.Now().Add(life)
	}
}

// keep remembers the state for a later restart.
func (s *server) keep() {
	old := &server{cells: map[string]*cell{}, entries: map[string]entry{}}
	for key, c := range s.cells {
		old.cells[key] = &cell{generation: c.generation, expires: c.expires, markers: slices.Clone(c.markers), made: c.made}
	}
	for key, e := range s.entries {
		old.entries[key] = e
	}
	s.kept = old
}

// restart begins another life with what was kept, or with nothing.
func (s *server) restart(empty bool) {
	s.run++
	old := s.kept
	if old == nil || empty {
		old = &server{cells: map[string]*cell{}, entries: map[string]entry{}}
	}
	s.cells, s.entries, s.kept = old.cells, old.entries, nil
}

// evict loses a cell.
func (s *server) evict(key string) {
	s.drop(key, s.cell(key))
	delete(s.cells, key)
}

// flush loses everything.
func (s *server) flush() {
	for key, c := range s.cells {
		s.drop(key, c)
	}
	clear(s.cells)
	clear(s.entries)
}
