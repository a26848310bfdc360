package simulator

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// client is the store.Store of one process. It has at most one connection at a time, and what
// comes back over it, replies and pushes, comes in the order in which the server sent it.
type client struct {
	p    *process
	down func(error)

	// The world's lock guards what follows.
	conn   *conn
	seen   int           // the server's life at the last good probe, 0: none
	within time.Duration // how young the proof is to be kept, 0: nobody asks
	proof  store.Proof   // DeafConnection only
}

var _ store.Store = (*client)(nil)

var (
	errLost = fmt.Errorf("%w: simulated: no connection", store.ErrDown)
	errDead = fmt.Errorf("%w: simulated: the process is dead", store.ErrDown)
)

// conn is one connection. The world's lock guards it.
type conn struct {
	c     *client
	run   int // the server's
	cut   chan struct{}
	gone  bool
	hung  bool
	lag   time.Duration // of all that the server sends
	last  time.Duration // when the last message arrives
	table map[string]known

	proof   *store.Proof // of the promises in table; nil: they claim to need none
	beating bool
}

// known is a promise and what it is about.
type known struct {
	generation store.Generation
	live       *store.Live
}

// arrive runs f when a message sent now arrives, after all that were sent before. The caller
// holds the world's lock.
func (n *conn) arrive(way time.Duration, f func()) {
	w := n.c.p.w
	at := max(time.Since(w.start)+n.lag+way, n.last+1)
	for w.taken[at] {
		at++
	}
	w.taken[at], n.last = true, at
	time.AfterFunc(at-time.Since(w.start), func() {
		w.state.Lock()
		defer w.state.Unlock()
		if !n.gone && !n.hung {
			f()
		}
	})
}

// push tells of a change. The caller holds the world's lock.
func (n *conn) push(key string) {
	w := n.c.p.w
	if n.gone {
		return
	}
	s := w.step(n.c.p.name, "push", key)
	if w.broken(DeafPromises) {
		return
	}
	n.send(s.way(), func() {
		s.note("arrives")
		n.forget(key)
	})
}

// send is arrive with the lock of moments.
func (n *conn) send(way time.Duration, f func()) {
	n.c.p.w.mu.Lock()
	defer n.c.p.w.mu.Unlock()
	n.arrive(way, f)
}

func (n *conn) forget(key string) {
	if k, ok := n.table[key]; ok {
		k.live.End()
		delete(n.table, key)
	}
}

// end ends a connection and what was promised over it. The caller holds the world's lock.
func (n *conn) end() {
	if n.gone {
		return
	}
	n.gone = true
	close(n.cut)
	if n.c.p.w.broken(DeafConnection) {
		return
	}
	for _, k := range n.table {
		k.live.End()
	}
}

// lose ends the connection as the network does.
func (c *client) lose(why string) {
	w := c.p.w
	w.state.Lock()
	n := c.conn
	if n == nil || n.gone {
		w.state.Unlock()
		return
	}
	n.end()
	c.conn = nil
	w.state.Unlock()
	w.note(c.p.name + " loses its connection: " + why)
	c.down(fmt.Errorf("%w: simulated: %s", store.ErrDown, why))
}

// hang is a connection on which nothing arrives any more, and which is given up in a while.
func (c *client) hang(d time.Duration) {
	w := c.p.w
	w.state.Lock()
	n := c.conn
	if n != nil {
		n.hung = true
	}
	w.state.Unlock()
	if n == nil {
		return
	}
	w.note(c.p.name + " hangs")
	w.after(d, func() {
		w.state.Lock()
		same := c.conn == n
		w.state.Unlock()
		if same {
			c.lose("silent for too long")
		}
	})
}

// slow is a connection on which everything takes so much longer, for a while.
func (c *client) slow(lag, d time.Duration) {
	w := c.p.w
	w.state.Lock()
	n := c.conn
	if n != nil {
		n.lag = lag
	}
	w.state.Unlock()
	if n != nil {
		w.after(d, func() {
			w.state.Lock()
			defer w.state.Unlock()
			n.lag = 0
		})
	}
}

// request is one command, or several that travel together.
type request struct {
	kind, key string
	mutates   bool
	repeats   bool // it may run twice, word for word
	// serve runs at the server. It returns what is to be done when the reply arrives.
	serve func(n *conn) (arrived func())
}

// exchange sends a request and waits for its reply.
func (c *client) exchange(ctx context.Context, r request) error {
	w := c.p.w
	if c.p.isDead() {
		return errDead
	}
	w.state.Lock()
	n := c.conn
	w.state.Unlock()
	if n == nil {
		return errLost
	}
	s, sent := w.step(c.p.name, caller(ctx), r.kind, r.key), time.Now()
	s.note("sent")
	if s.fault("dies before it", 3) && w.die(c.p) {
		return errDead
	}
	there, back := s.way(), s.way()
	often := 12
	if r.kind == "mark" { // what a write does then is a promise of its own
		often = 40
	}
	lost := s.fault("the request is lost", often)
	late := r.mutates && s.fault("runs late", 10)
	silent := s.fault("the reply is lost", 10)
	twice := r.repeats && !late && s.fault("runs twice", 10)
	if late {
		there = s.within(lateAtMost)
	}
	again := there + s.within(lateAtMost)
	done := make(chan struct{})
	if !lost {
		w.after(there, func() { w.serve(n, s, r, sent, back, silent, done) })
	}
	if twice {
		w.after(again, func() { w.serve(n, s, r, sent, back, true, done) })
	}
	select {
	case <-done:
	case <-n.cut:
		return errLost
	case <-c.p.dead:
		return errDead
	case <-ctx.Done():
		if !c.p.isDead() {
			s.note("given up")
		}
		return fmt.Errorf("%w: %w", store.ErrDown, context.Cause(ctx))
	}
	if s.fault("dies after it", 3) && w.die(c.p) {
		return errDead
	}
	return nil
}

// serve runs a request at the server and sends the reply behind the pushes it has caused.
func (w *world) serve(n *conn, s *step, r request, sent time.Time, back time.Duration, silent bool, done chan struct{}) {
	w.state.Lock()
	defer w.state.Unlock()
	if n.run != w.server.run { // a connection does not outlive its server
		return
	}
	s.note("runs")
	fence := n.last
	arrived := r.serve(n)
	w.server.tell()
	if silent || n.gone {
		return
	}
	reply := func() {
		arrived()
		s.note("answered")
		close(done)
	}
	if w.broken(NoFence) && n.last != fence { // ahead of what it should stand behind
		w.after(1, func() {
			w.state.Lock()
			defer w.state.Unlock()
			reply()
		})
		return
	}
	n.send(back, func() {
		n.proves(sent)
		reply()
	})
}

// Read implements store.Store. The reply stands behind all pushes for changes before it.
func (c *client) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	var reply store.ReadReply
	if r.Near && r.Lagging || r.Near && c.p.w.broken(EagerTable) {
		cells, all := c.fromTable(r.Cells)
		if all && r.Entry == "" {
			return store.ReadReply{Cells: cells}, nil
		}
		if all {
			err := c.exchange(ctx, request{kind: "read", key: r.Entry, serve: func(*conn) func() {
				e := c.p.w.server.entry(r.Entry)
				return func() { reply = store.ReadReply{Entry: e, Cells: cells} }
			}})
			if err != nil { // the variable may be written late
				return store.ReadReply{}, err
			}
			return reply, nil
		}
	}
	err := c.exchange(ctx, request{kind: "read", key: cmp.Or(r.Entry, joined(r.Cells)), serve: func(n *conn) func() {
		server := c.p.w.server
		var got store.ReadReply
		if r.Entry != "" {
			got.Entry = server.entry(r.Entry)
		}
		for _, key := range r.Cells {
			cell := server.look(key, r.Fresh, r.CellTTL)
			if r.Near && cell.Generation != "" && !n.gone {
				server.track(key, n)
			}
			got.Cells = append(got.Cells, cell)
		}
		return func() {
			if r.Near {
				n.promise(r.Cells, got.Cells)
			}
			reply = got
		}
	}})
	if err != nil { // the variable may be written late
		return store.ReadReply{}, err
	}
	return reply, nil
}

// track remembers who has to be told when the generation of key goes.
func (s *server) track(key string, n *conn) {
	if c := s.cells[key]; !slices.Contains(c.tracked, n) {
		c.tracked = append(c.tracked, n)
	}
}

// promise makes a promise for each generation that has arrived.
func (n *conn) promise(keys []string, cells []store.Cell) {
	for i, key := range keys {
		g := cells[i].Generation
		if g == "" {
			continue
		}
		k, ok := n.table[key]
		if !ok || k.generation != g {
			n.forget(key)
			k = known{g, store.NewLive(n.proof)}
			n.table[key] = k
		}
		cells[i].Live = k.live
	}
}

// fromTable answers from what is known in the process.
func (c *client) fromTable(keys []string) (cells []store.Cell, all bool) {
	c.p.w.state.Lock()
	defer c.p.w.state.Unlock()
	if c.conn == nil {
		return nil, false
	}
	for _, key := range keys {
		k, ok := c.conn.table[key]
		if !ok {
			return nil, false
		}
		cells = append(cells, store.Cell{Generation: k.generation, Live: k.live})
	}
	return cells, true
}

// Fill implements store.Store.
func (c *client) Fill(ctx context.Context, r store.FillRequest) error {
	return c.exchange(ctx, request{kind: "fill", key: r.Entry.Key, mutates: true, serve: func(*conn) func() {
		c.p.w.server.store(r.Entry)
		for _, key := range r.Renew {
			c.p.w.server.renew(key, r.CellTTL)
		}
		return func() {}
	}})
}

// Mark implements store.Store.
func (c *client) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	var seen []store.Cell
	c.p.w.state.Lock()
	c.p.w.marks[r.Token] = caller(ctx)
	c.p.w.state.Unlock()
	err := c.exchange(ctx, request{kind: "mark", key: joined(r.Cells), mutates: true, repeats: true, serve: func(*conn) func() {
		server := c.p.w.server
		for _, key := range r.Cells {
			server.mark(key, r.Token, r.Lease)
		}
		var got []store.Cell
		for _, key := range r.Observe {
			got = append(got, server.look(key, r.Fresh, r.CellTTL))
		}
		return func() { seen = got }
	}})
	if err != nil {
		return nil, err
	}
	operation(ctx).mark(r.Cells)
	return seen, nil
}

// Post implements store.Store.
func (c *client) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	var reply store.PostReply
	var cells []string
	for _, p := range r.Cells {
		cells = append(cells, p.Key)
	}
	for _, b := range r.Bumps {
		cells = append(cells, b.Key)
	}
	slices.Sort(cells)
	committed := operation(ctx).hasCommitted()
	err := c.exchange(ctx, request{kind: c.debt(ctx, r), key: joined(cells), mutates: true, repeats: true, serve: func(*conn) func() {
		var got store.PostReply
		server := c.p.w.server
		for _, e := range r.Entries {
			server.store(e)
		}
		for _, p := range r.Cells {
			got.Outcomes = append(got.Outcomes, server.post(p.Key, r.Token, p.Fresh, r.CellTTL))
		}
		for _, b := range r.Bumps {
			got.Outcomes = append(got.Outcomes, server.bump(b, r.CellTTL))
		}
		return func() { reply = got }
	}})
	if err != nil {
		return store.PostReply{}, err
	}
	if committed {
		operation(ctx).tell()
	}
	return reply, nil
}

// debt names a post by what it is for. The keeper delivers what several writes owe in the same
// cells at the same time, and tokens are of no use: they are random.
func (c *client) debt(ctx context.Context, r store.PostRequest) string {
	if operation(ctx) != nil {
		return "post"
	}
	c.p.w.state.Lock()
	defer c.p.w.state.Unlock()
	return "post for " + cmp.Or(c.p.w.marks[r.Token], r.Token, "none")
}

// Probe implements store.Store. It connects where there is no connection.
func (c *client) Probe(ctx context.Context) (changed bool, err error) {
	w := c.p.w
	w.state.Lock()
	n := c.conn
	if n == nil && !c.p.isDead() {
		n = &conn{c: c, run: w.server.run, cut: make(chan struct{}), table: map[string]known{}}
		switch {
		case w.broken(NoProof):
		case w.broken(DeafConnection): // for whatever hangs on it, the next connection is the same
			n.proof = &c.proof
		default:
			n.proof = new(store.Proof)
		}
		c.conn = n
		n.beat()
	}
	w.state.Unlock()
	life := 0
	err = c.exchange(ctx, request{kind: "probe", serve: func(*conn) func() {
		run := w.server.run
		return func() { life = run }
	}})
	if err != nil {
		return false, err
	}
	w.state.Lock()
	defer w.state.Unlock()
	changed = c.seen != 0 && c.seen != life && !w.broken(SilentRestart)
	c.seen = life
	return changed, nil
}

// OnDown implements store.Store.
func (c *client) OnDown(f func(error)) { c.down = f }

// Findings implements store.Store.
func (c *client) Findings() []store.Finding { return nil }

// Close implements store.Store.
func (c *client) Close() error {
	c.p.w.state.Lock()
	defer c.p.w.state.Unlock()
	if c.conn != nil {
		c.conn.end()
		c.conn = nil
	}
	return nil
}

func joined(keys []string) string { return strings.Join(keys, "+") }
