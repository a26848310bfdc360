package cachert

import (
	"slices"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// What a session notes of its writes, and of its reads.

// nearAge is how long after a change a process may still answer with what it has kept from
// before, whatever becomes of its pushes: the longest bound of the reads of this Cache. Without
// a bound, at level eventual, kept values live NearTTL from the moment their read began.
func (c *Cache) nearAge() time.Duration {
	if age := time.Duration(c.oldest.Load()); age > 0 {
		return min(age, c.opt.NearTTL)
	}
	return c.opt.NearTTL
}

// note notes what is to be compared with the near caches of other processes. since is a
// moment before the store was told or asked.
func (s *Session) note(hash uint64, n note, self uint64, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, known := s.told[hash]; known && old.period != n.period && !old.at.Before(since) {
		n.period = self // two at the same time: which generation came last is not known
	}
	s.told[hash] = n
	s.shorten(n.at)
}

// wrote notes a change that the store knows of. g is the generation that the cell took, "" when
// it took another one or holds a marker.
func (s *Session) wrote(c *Cache, cell string, g store.Generation, since time.Time) {
	period := c.id
	if g != "" {
		period = hashOf(string(g))
	}
	now := c.now()
	s.note(hashOf(cell), note{period: period, own: true, at: now, until: now.Add(c.nearAge() + c.opt.ClockSkew)}, c.id, since)
}

// proofToken is the token of the posts for wroteUntold. Nothing is marked under it.
const proofToken = "session"

// wroteUntold notes changes that the store may not know of, which are over at after. The cells
// get one more generation when that is certain to be seen in it, by whatever clock: who has
// the token may then believe the store again. That debt stands beside what else is owed.
func (s *Session) wroteUntold(c *Cache, cells []string, after time.Time) {
	until := after.Add(time.Duration(c.longest.Load()) + c.opt.Lease + c.opt.ClockSkew)
	s.mu.Lock()
	for _, cell := range cells {
		hash := hashOf(cell)
		old := s.open[hash]
		s.open[hash] = note{after: later(after, old.after), until: later(until, old.until)}
	}
	s.shorten(c.now())
	s.mu.Unlock()
	c.gate.owe(proofToken, cells, after.Add(2*c.opt.ClockSkew), nil)
}

// invalidated notes what Invalidate has changed.
func (s *Session) invalidated(c *Cache, cells []string, err error, since time.Time) {
	if err != nil {
		s.wroteUntold(c, cells, c.now())
		return
	}
	for _, cell := range cells {
		s.wrote(c, cell, "", since)
	}
}

// follow makes the session of an effect one that learns what the mutation has changed.
func (m *mutation) follow(s *Session) {
	if s != nil && !slices.Contains(m.sessions, s) {
		m.sessions = append(m.sessions, s)
	}
}

// note tells the sessions what has become of a post that was sent after since. A cell that is
// marked for certain needs no post: its generation is gone, and a marker stands.
func (m *mutation) note(req store.PostRequest, outcomes []store.Outcome, err error, since time.Time) {
	for _, s := range m.sessions {
		var untold []string
		for i := range len(req.Cells) + len(req.Bumps) {
			cell, fresh := changedCell(req, i), store.Generation("")
			switch {
			case err != nil && (i >= len(req.Cells) || m.blind):
				untold = append(untold, cell)
				continue
			case err != nil || outcomes[i] != store.Taken:
			case i < len(req.Cells):
				fresh = req.Cells[i].Fresh
			default:
				fresh = req.Bumps[i-len(req.Cells)].Fresh
			}
			s.wrote(m.c, cell, fresh, since)
		}
		if len(untold) > 0 {
			s.wroteUntold(m.c, untold, m.c.now())
		}
	}
}

// noteUnknown tells the sessions of a write that may be committed until its lease ends. What
// is marked for certain is told; cells are not.
func (m *mutation) noteUnknown(cells []string) {
	now := m.c.now()
	for _, s := range m.sessions {
		for _, cell := range without(m.marked, cells) {
			s.wrote(m.c, cell, "", now)
		}
		if len(cells) > 0 {
			s.wroteUntold(m.c, cells, now.Add(m.c.opt.Lease))
		}
	}
}

// read notes that an object was answered under the given period, by a read that began at since.
// last is a moment after the last change of what was read: where no process can have kept an
// older one there is nothing to note. Where last is of a generation, the clock was read before
// that was sent. Noting it twice changes nothing.
func (s *Session) read(c *Cache, object, period uint64, last, since time.Time) {
	now := c.now()
	until := earlier(last, now).Add(c.nearAge() + c.opt.ClockSkew + c.opt.StoreTimeout)
	if !now.Before(until) {
		return
	}
	s.mu.Lock()
	old, known := s.told[object]
	s.mu.Unlock()
	if !known || old.period != period || old.until.Before(until) {
		s.note(object, note{period: period, own: true, at: now, until: until}, c.id, since)
	}
}
