package cachert

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// Change describes one call of a write.
type Change struct {
	// Tags adds the tags known from the arguments. It is called before Run, to mark them,
	// and once more after it, because Run may change what its arguments point to.
	Tags func(t *Tags)
	// Old reads the row about to change from the source and adds its tags. It returns nil
	// when there is no such row; after any other error the whole repository is dropped,
	// for then it is not known what the row was part of.
	Old func(ctx context.Context, t *Tags) error
	// Run calls the source.
	Run func(ctx context.Context) error
	// After adds the tags known only from the result. It is called when Run has returned,
	// with or without an error.
	After func(t *Tags)
	// Put stores what the write left in the database. It is called when Run returned nil.
	Put func(p *Puts)
}

// Do runs a write and keeps the cache right:
//
//  1. mark (levels session and strict): each tag's generation is destroyed, a marker stands
//  2. Run: the source commits; readers meanwhile read the source and store nothing
//  3. post: markers go, generations are new; if no other write overlapped this one, the
//     Puts are stored under them
//
// It returns Run's error as it is, or before Run an error that wraps ErrRefused and
// store.ErrDown. A write that committed is never reported as failed because the cache could
// not be told: the invalidation is journalled. When Run panics or its outcome is unknown
// the markers stay until their lease ends.
func (w *Writer) Do(ctx context.Context, ch Change) error {
	m := &mutation{w: w, c: w.repo.cache, ctx: ctx, change: ch}
	w.stats.writes.Add(1)
	if err := m.announce(); err != nil {
		return err
	}
	m.start = m.c.now()
	err := m.run()
	w.stats.observe(EventWrite, m.c.now().Sub(m.start), err)
	if err != nil && m.c.opt.OutcomeUnknown(err) {
		m.abandon()
		return err
	}
	m.finish(err)
	return err
}

// mutation is one write on its way.
type mutation struct {
	w      *Writer
	c      *Cache
	ctx    context.Context
	change Change

	token  string
	epoch  uint64
	start  time.Time // of Run
	args   []string  // cells known from the arguments
	marked []string  // cells that carry, or may carry, our marker
	bare   []string  // cells to be renewed without a marker
	known  snapshot  // seen before Run
	late   []string  // cells known only after Run
	blind  bool      // announcing failed: no write-through
}

// announce marks the cells that can be known before Run, or refuses the write.
func (m *mutation) announce() error {
	m.known = snapshot{}
	m.epoch = m.c.epoch.Load()
	m.token = string(m.c.fresh())
	m.args = m.collect(m.change.Tags)
	marks := effective(m.ctx, m.w.policy.Level).marked()
	if err := m.tell(m.args, marks); err != nil {
		return err
	}
	if m.change.Old == nil {
		return nil
	}
	// The old row is read under our markers: a marked writer that changes it from here on
	// overlaps us, and finish sees that.
	old := m.collect(func(t *Tags) {
		if err := m.change.Old(m.ctx, t); err != nil {
			t.All(m.w.repo.policy.Name)
		}
	})
	return m.tell(without(old, m.args), marks)
}

// collect lists the cells that the closures name, and the whole repository's when a tag
// cannot be encoded or the tenant is not known.
func (m *mutation) collect(closures ...func(*Tags)) []string {
	tags := m.w.repo.tags(m.ctx)
	tags.collect(closures...)
	if _, ok := m.w.repo.scope(m.ctx); !ok || tags.err != nil {
		tags.All(m.w.repo.policy.Name)
	}
	return tags.cells
}

func (m *mutation) repoCell() string { return m.c.keys.repoCell(m.w.repo.policy.Name) }

// tell marks cells, or for an unmarked write reads their generations as far as a put needs
// them. Only OnErrorFail makes its failure an error.
func (m *mutation) tell(cells []string, marks bool) error {
	var err error
	if !m.c.gate.open.Load() {
		err = fmt.Errorf("%w: not trusted at the moment", store.ErrDown)
	} else if marks {
		err = m.mark(cells)
	} else if m.change.Put != nil || m.change.Old != nil {
		err = m.look(slices.Concat(cells, without(m.common(), cells)))
	}
	if marks && !m.blind {
		m.marked = append(m.marked, cells...)
	} else {
		m.bare = append(m.bare, cells...)
	}
	if err == nil {
		return nil
	}
	m.blind = true
	if m.refuses() {
		m.w.stats.refused.Add(1)
		m.c.post(m.ctx, store.PostRequest{Token: m.token, Cells: m.postCells()}, m.w.stats)
		return fmt.Errorf("%w: %w", ErrRefused, err)
	}
	return nil
}

func (m *mutation) refuses() bool {
	if m.w.policy.OnError == OnErrorDefault {
		return effective(m.ctx, m.w.policy.Level) == LevelStrict
	}
	return m.w.policy.OnError == OnErrorFail
}

// common are the cells every entry of the repository depends on. Their generations are
// taken before the commit like all others.
func (m *mutation) common() []string { return []string{m.c.keys.namespaceCell(), m.repoCell()} }

func (m *mutation) mark(cells []string) error {
	ctx, cancel := m.c.storeContext(m.ctx)
	defer cancel()
	req := store.MarkRequest{Token: m.token, Cells: cells, Lease: m.c.opt.Lease, Fresh: m.c.fresh, CellTTL: m.c.cellTTL()}
	if m.change.Put != nil && len(m.known) == 0 {
		req.Observe = without(m.common(), cells)
	}
	if len(req.Cells)+len(req.Observe) == 0 {
		return nil
	}
	seen, err := m.c.store.Mark(ctx, req)
	if err != nil {
		return m.failed(err)
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
	m.w.stats.storeError(err)
	m.c.gate.failed(m.ctx, err)
	return err
}

// run calls the source; when it panics the outcome is unknown.
func (m *mutation) run() error {
	returned := false
	defer func() {
		if !returned {
			m.abandon()
		}
	}()
	err := m.change.Run(m.ctx)
	returned = true
	return err
}

// lateCells are those known only now: from the result, or from arguments that Run filled.
func (m *mutation) lateCells() []string {
	return without(without(m.collect(m.change.Tags, m.change.After), m.marked), m.bare)
}

// abandon ends a write whose outcome is unknown. Markers stay. What carries none is renewed
// now and once more when the database must have given up on the write, because the commit
// may still happen in between.
func (m *mutation) abandon() {
	m.w.stats.unknown.Add(1)
	cells := append(slices.Clone(m.bare), m.lateCells()...)
	if m.blind { // the markers may never have arrived
		cells = append(cells, m.marked...)
	}
	if len(cells) == 0 {
		return
	}
	req := store.PostRequest{Bumps: m.bumps(cells, nil)}
	m.c.post(m.ctx, req, m.w.stats)
	m.c.gate.owe("", cells, m.c.now().Add(m.c.opt.Lease), nil)
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

// finish ends a write whose outcome is known.
func (m *mutation) finish(runErr error) {
	m.late = m.lateCells()
	puts := &Puts{ctx: context.WithoutCancel(m.ctx)}
	if runErr == nil && m.change.Put != nil && m.mayPut() {
		m.change.Put(puts)
		m.adopt(puts)
	}
	req := store.PostRequest{Token: m.token, Cells: m.postCells(), Bumps: m.bumps(m.bare, m.late)}
	req.Entries = m.entries(puts, req)
	m.w.stats.invalidations.Add(uint64(len(req.Cells) + len(req.Bumps)))
	outcomes, ok := m.c.post(m.ctx, req, m.w.stats)
	if !ok {
		return
	}
	m.countWriteThroughs(puts, req, outcomes)
	if m.change.Old != nil && m.overlapped(req, outcomes) {
		// Another write overlapped: the row we read may not be the one that was changed,
		// and the tags of that one are unknown.
		m.c.post(m.ctx, store.PostRequest{Bumps: m.bumps([]string{m.repoCell()}, nil)}, m.w.stats)
	}
}

// overlapped reports whether any cell known from the arguments was changed by others
// between announce and finish.
func (m *mutation) overlapped(req store.PostRequest, outcomes []store.Outcome) bool {
	for i, o := range outcomes {
		if o != store.Taken && slices.Contains(m.args, changedCell(req, i)) {
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
func (m *mutation) countWriteThroughs(p *Puts, req store.PostRequest, outcomes []store.Outcome) {
	refused := map[string]bool{}
	for i, o := range outcomes {
		if o != store.Taken {
			refused[changedCell(req, i)] = true
		}
	}
	for _, e := range p.list {
		stored := slices.ContainsFunc(req.Entries, func(s store.Entry) bool { return s.Key == e.key })
		if stored && !slices.ContainsFunc(e.cells, func(c string) bool { return refused[c] }) {
			m.w.stats.writeThroughs.Add(1)
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
	return !m.blind && m.epoch == m.c.epoch.Load() && m.c.now().Sub(m.start) < m.c.opt.Lease/2
}

// adopt renews the tags of put entries that the write itself does not name: each put
// replaces what stood there.
func (m *mutation) adopt(p *Puts) {
	for _, e := range p.list {
		for _, cell := range e.cells {
			if _, seen := m.known[cell]; !seen && !slices.Contains(m.marked, cell) &&
				!slices.Contains(m.bare, cell) && !slices.Contains(m.late, cell) {
				m.late = append(m.late, cell)
			}
		}
	}
}

// entries builds the entries under the generations that the cells will have if this write
// was alone. Where it was not they have others, and the entry is not valid.
func (m *mutation) entries(p *Puts, req store.PostRequest) []store.Entry {
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
	for _, e := range p.list {
		for _, cell := range e.cells {
			e.env.deps = append(e.env.deps, dep{cell, gens[cell]})
		}
		if slices.ContainsFunc(e.env.deps, func(d dep) bool { return d.gen == "" }) {
			continue // a write to one of its tags is in progress
		}
		out = append(out, store.Entry{Key: e.key, Value: e.env.append(nil), TTL: e.ttl})
	}
	return out
}

// Puts collects what a write stores. It is handed to Change.Put and must not be kept.
type Puts struct {
	ctx  context.Context
	list []put
}

type put struct {
	key   string
	ttl   time.Duration
	cells []string
	env   envelope
}

func (p *Puts) add(e put) { p.list = append(p.list, e) }

// post sends the end of a write. It outlives the caller's context. What cannot be delivered
// is journalled, and the gate stays closed until it is: the caller then reads the source,
// never its own old value.
func (c *Cache) post(ctx context.Context, req store.PostRequest, stats *counters) ([]store.Outcome, bool) {
	if len(req.Cells)+len(req.Bumps) == 0 {
		return nil, true
	}
	req.CellTTL = c.cellTTL()
	var err error = store.ErrDown
	var reply store.PostReply
	if c.gate.open.Load() {
		storeCtx, cancel := c.storeContext(context.WithoutCancel(ctx))
		defer cancel()
		reply, err = c.store.Post(storeCtx, req)
	}
	if err != nil {
		stats.storeError(err)
		var marked, bare []string
		for _, p := range req.Cells {
			marked = append(marked, p.Key)
		}
		for _, b := range req.Bumps {
			bare = append(bare, b.Key)
		}
		c.gate.owe(req.Token, marked, c.now(), err)
		c.gate.owe("", bare, c.now(), err)
		return nil, false
	}
	for i, o := range reply.Outcomes[:len(req.Cells)] {
		if o == store.Lost {
			stats.markersLost.Add(1)
			stats.observe(EventMarkerLost, 0, nil)
			c.opt.Logger.Warn("cachegen: a marker was gone before its write ended: is Lease longer than the database lets a write live? does the store evict?", "cell", req.Cells[i].Key)
		}
	}
	return reply.Outcomes, true
}
