package cachert

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// mutation is a write, or the writes of a unit of work, on the way from mark to post. It is
// used by one goroutine.
type mutation struct {
	c     *Cache
	ctx   context.Context
	stats *counters // of the write, or the first of the unit

	marks    bool     // some effect announces itself
	refuses  bool     // some effect does not happen when the store cannot be told
	outbox   bool     // some effect leaves a row in the outbox
	observes bool     // some effect stores a value or reads the old row: generations are needed
	common   []string // cells of the namespace and of the repositories involved

	token    string
	epoch    uint64
	start    time.Time // a moment before the commit
	marked   []string  // cells that carry, or may carry, our marker
	bare     []string  // cells to be renewed without a marker
	known    snapshot  // seen before the commit
	guards   []guardedRow
	blind    bool          // announcing failed: no write-through
	since    time.Time     // when the oldest marker that stands was sent, or the intent where there is none
	wait     time.Duration // from the marks to the commit
	sessions []*Session    // that the effects belong to
	lapsed   bool          // markers may have gone before they were renewed, and what they met with them
	rows     []string      // of the outbox, written or perhaps written
	stays    []string      // cells whose markers no refusal takes back
}

// guardedRow is a row that was read under the marks of some cells, and what to drop when
// another write overlapped: which row was changed is not known then.
type guardedRow struct {
	cells []string
	repo  string
}

func (c *Cache) newMutation(ctx context.Context, stats *counters) *mutation {
	return &mutation{
		c: c, ctx: ctx, stats: stats, start: c.now(), known: snapshot{},
		token: string(c.fresh()), epoch: c.epoch.Load(), common: []string{c.keys.namespaceCell()},
	}
}

// involve tells the mutation what an effect needs of it.
func (m *mutation) involve(e *effect) {
	m.marks = m.marks || e.marks()
	m.refuses = m.refuses || e.refuses()
	if e.level() == LevelLeased {
		m.wait = m.c.wait()
	}
	m.outbox = m.outbox || e.outboxes()
	m.observes = m.observes || e.change.Put != nil || e.change.Old != nil
	m.follow(SessionFrom(e.ctx))
	if !slices.Contains(m.common, e.w.repo.cell) {
		m.common = append(m.common, e.w.repo.cell)
	}
}

// prepare does all that comes before a lone write runs: marks, the row of an outbox, the wait.
// After an error nothing of it stands.
func (m *mutation) prepare(e *effect) error {
	if err := m.before(e); err != nil {
		return err
	}
	err := m.intend(e, slices.Concat(m.marked, m.bare))
	if err == nil {
		err = m.ready()
	}
	if err != nil {
		m.withdraw()
	}
	return err
}

// before announces what an effect knows before it runs. The old row is read under the markers
// of the arguments: a marked writer that changes it from there on overlaps, and finish sees that.
func (m *mutation) before(e *effect) error {
	returned := false
	defer func() {
		if !returned { // a panic: the source has not been touched
			m.withdraw()
		}
	}()
	args := e.collect(e.change.Tags)
	err := m.announce(args)
	if err == nil && e.change.Old != nil {
		m.guard(args, e.w.repo.cell)
		err = m.announce(without(e.old(), args))
	}
	returned = true
	return err
}

func (m *mutation) guard(cells []string, repo string) {
	m.guards = append(m.guards, guardedRow{cells, repo})
}

// announce marks cells, or for an unmarked write reads their generations as far as a put needs
// them. Only a write that refuses makes its failure an error.
func (m *mutation) announce(cells []string) error {
	var err error
	sent := false // marks
	if !m.c.gate.open.Load() {
		err = fmt.Errorf("%w: not trusted at the moment", store.ErrDown)
	} else if m.marks {
		sent = true
		err = m.mark(cells)
	} else if m.observes {
		err = m.look(slices.Concat(cells, without(m.common, cells)))
	}
	if sent {
		m.marked = append(m.marked, without(cells, m.marked)...)
		m.bare = without(m.bare, cells)
	} else {
		m.bare = append(m.bare, without(without(cells, m.marked), m.bare)...)
	}
	if err == nil {
		return nil
	}
	if m.marks && !m.blind && !m.refuses {
		m.c.voids.untold(m.stats, err)
	}
	m.blind = true
	if m.refuses {
		m.stats.refuse(err)
		m.marked = without(m.marked, m.stays)
		_, _ = m.c.post(m.ctx, store.PostRequest{Token: m.token, Cells: m.postCells()}, m.stats)
		// That post may arrive late: it must not end the marks of another attempt.
		m.token, m.marked, m.lapsed = string(m.c.fresh()), nil, true
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

// sent says that a COMMIT is under way whose outcome nobody knows: whatever becomes of the rest,
// the markers that stand now stay until their lease ends.
func (m *mutation) sent() { m.stays = append(m.stays, without(m.marked, m.stays)...) }

// mark also observes the cells that every entry of the repositories depends on: their
// generations are taken before the commit like all others.
func (m *mutation) mark(cells []string) error {
	ctx, cancel := m.c.storeContext(m.ctx)
	defer cancel()
	now := m.c.now()
	switch {
	case len(m.marked) == 0:
		m.since = now
	case now.Sub(m.since) >= m.c.opt.Lease/2:
		m.lapsed = true
	}
	req := store.MarkRequest{Token: m.token, Cells: cells, Lease: m.c.opt.Lease, Fresh: m.c.fresh, CellTTL: m.c.cellTTL()}
	if m.observes {
		req.Observe = unseen(m.known, without(without(m.common, cells), m.marked))
	}
	if len(req.Cells)+len(req.Observe) == 0 {
		return nil
	}
	seen, err := m.c.store.Mark(ctx, req)
	if err != nil {
		return m.failed(err)
	}
	if len(without(m.marked, cells)) == 0 {
		m.since = now
	}
	for i, cell := range req.Observe {
		m.known[cell] = seen[i]
	}
	return nil
}

func (m *mutation) look(cells []string) error {
	ctx, cancel := m.c.storeContext(m.ctx)
	defer cancel()
	cells = unseen(m.known, cells)
	reply, err := m.c.store.Read(ctx, store.ReadRequest{Cells: cells, Near: true, Lagging: true, Fresh: m.c.fresh, CellTTL: m.c.cellTTL()})
	if err != nil {
		return m.failed(err)
	}
	for i, cell := range cells {
		m.known[cell] = reply.Cells[i]
	}
	return nil
}

func (m *mutation) failed(err error) error {
	m.stats.storeError(err)
	m.c.gate.failed(m.ctx, err)
	return err
}

// abandon ends a write whose outcome is unknown. Markers stay. What carries none is renewed
// now and once more when the database must have given up on the write, because the commit
// may still happen in between. So are the repositories of rows that were read: without a post
// nobody sees whether another write has overlapped.
func (m *mutation) abandon(after []string) {
	m.stats.unknownOutcome()
	cells := append(slices.Clone(m.bare), m.late(after)...)
	for _, g := range m.guards {
		cells = append(cells, without([]string{g.repo}, cells)...)
	}
	if m.blind { // the markers may never have arrived
		cells = append(cells, m.marked...)
	}
	m.noteUnknown(cells)
	if len(cells) == 0 {
		return
	}
	_, _ = m.c.post(m.ctx, store.PostRequest{Bumps: m.bumps(cells, nil)}, m.stats)
	m.c.gate.owe("", cells, m.c.now().Add(m.c.opt.Lease), nil)
}

// late is what of the cells known after the commit was not known before it.
func (m *mutation) late(after []string) []string {
	return without(without(after, m.marked), m.bare)
}

func (m *mutation) postCells() []store.PostCell {
	cells := make([]store.PostCell, len(m.marked))
	for i, cell := range m.marked {
		cells[i] = store.PostCell{Key: cell, Fresh: m.c.fresh()}
	}
	return cells
}

// bumps renews cells; those in late may be absent and still count as known.
func (m *mutation) bumps(cells, late []string) []store.BumpCell {
	var out []store.BumpCell
	for _, cell := range cells {
		out = append(out, store.BumpCell{Key: cell, Known: m.known[cell].Generation, Fresh: m.c.fresh()})
	}
	for _, cell := range late {
		out = append(out, store.BumpCell{Key: cell, Absent: true, Fresh: m.c.fresh()})
	}
	return out
}

// finish ends a write whose outcome is known. It returns an error when the store could not
// be told; then the invalidation is journalled.
func (m *mutation) finish(after []string, puts []put) error {
	late := m.adopt(m.late(after), puts)
	req := store.PostRequest{Token: m.token, Cells: m.postCells(), Bumps: m.bumps(m.bare, late)}
	req.Entries = m.entries(puts, req)
	m.stats.invalidations.Add(uint64(len(req.Cells) + len(req.Bumps)))
	since := m.c.now()
	outcomes, err := m.c.post(m.ctx, req, m.stats)
	m.note(req, outcomes, err, since)
	if err != nil {
		return err
	}
	m.countLost(req, outcomes)
	m.countWriteThroughs(puts, req, outcomes)
	var repos []string
	for _, g := range m.guards {
		if m.lapsed || overlapped(g.cells, req, outcomes) {
			repos = append(repos, without([]string{g.repo}, repos)...)
		}
	}
	req, since = store.PostRequest{Bumps: m.bumps(repos, nil)}, m.c.now()
	outcomes, err = m.c.post(m.ctx, req, m.stats)
	m.note(req, outcomes, err, since)
	if err == nil {
		m.forget()
	}
	return err
}

// overlapped reports whether any of cells was changed by others between announce and finish.
func overlapped(cells []string, req store.PostRequest, outcomes []store.Outcome) bool {
	for i, o := range outcomes {
		if o != store.Taken && slices.Contains(cells, changedCell(req, i)) {
			return true
		}
	}
	return false
}

// changedCell is the cell that outcome i is about.
func changedCell(req store.PostRequest, i int) string {
	if i < len(req.Cells) {
		return req.Cells[i].Key
	}
	return req.Bumps[i-len(req.Cells)].Key
}

// countWriteThroughs counts the entries none of whose generations was refused.
func (m *mutation) countWriteThroughs(puts []put, req store.PostRequest, outcomes []store.Outcome) {
	refused := map[string]bool{}
	for i, o := range outcomes {
		if o != store.Taken {
			refused[changedCell(req, i)] = true
		}
	}
	for _, e := range puts {
		stored := slices.ContainsFunc(req.Entries, func(s store.Entry) bool { return s.Key == e.key })
		if stored && !slices.ContainsFunc(e.cells, func(c string) bool { return refused[c] }) {
			m.stats.writeThroughs.Add(1)
		}
	}
}

// mayPut reports whether write-through can be trusted to be decided by the store. Not when
// announcing failed or the server changed; and not late, because of this schedule on a row
// that came into being with this write:
//
//  1. this write commits version 1 and stalls
//  2. another one marks the row, commits version 2 and dies; its marker expires
//  3. this write posts, finds no cell, and would store version 1 for good
//
// Within half a lease after the commit no marker set since can have expired.
func (m *mutation) mayPut() bool {
	return !m.blind && !m.lapsed && m.epoch == m.c.epoch.Load() && m.c.now().Sub(m.start) < m.c.opt.Lease/2
}

// adopt adds to late the tags of put entries that the write itself does not name: each put
// replaces what stood there.
func (m *mutation) adopt(late []string, puts []put) []string {
	for _, e := range puts {
		for _, cell := range without(m.late(e.cells), late) {
			if _, seen := m.known[cell]; !seen {
				late = append(late, cell)
			}
		}
	}
	return late
}

// entries builds the entries under the generations that the cells will have if this write
// was alone. Where it was not they have others, and the entry is not valid.
func (m *mutation) entries(puts []put, req store.PostRequest) []store.Entry {
	gens := map[string]store.Generation{}
	for cell, seen := range m.known {
		gens[cell] = seen.Generation
	}
	for _, c := range req.Cells {
		gens[c.Key] = c.Fresh
	}
	for _, b := range req.Bumps {
		gens[b.Key] = b.Fresh
	}
	var out []store.Entry
	for _, e := range puts {
		for _, cell := range e.cells {
			e.env.deps = append(e.env.deps, dep{cell, gens[cell]})
		}
		if slices.ContainsFunc(e.env.deps, func(d dep) bool { return d.gen == "" }) {
			continue // a write to one of its tags is in progress
		}
		out = append(out, store.Entry{Key: e.key, Value: e.env.append(nil, e.key), TTL: e.ttl})
	}
	return out
}
