package simulator

import (
	"strings"
	"time"
)

// Prove implements store.Store: a heartbeat goes out on the connection three times within the
// least time asked for, as long as the world has a pulse.
func (c *client) Prove(within time.Duration) (lags bool) {
	w := c.p.w
	w.state.Lock()
	defer w.state.Unlock()
	if within > 0 && (c.within == 0 || within < c.within) {
		c.within = within
	}
	c.conn.beat()
	return !w.broken(NoWait)
}

// proves notes the arrival of a reply to what was sent at the given time. The caller holds the
// world's lock.
func (n *conn) proves(sent time.Time) {
	switch {
	case n.proof == nil:
	case n.c.p.w.broken(LateProof):
		n.proof.Renew(time.Now())
	default:
		n.proof.Renew(sent)
	}
}

// beat begins with the heartbeats of a connection, where somebody asks for them and they have
// not begun. The caller holds the world's lock.
func (n *conn) beat() {
	if n == nil || n.beating || n.c.within == 0 || n.c.p.w.still {
		return
	}
	n.beating = true
	n.next(n.c.p.w.step(n.c.p.name, "heartbeats"), 0)
}

// next sends a heartbeat in a while. It is nothing that waits, so that what happens is that it
// comes to the server, and that the reply does to the process. The chain goes on from the
// first: a heartbeat does not wait for the reply to the one before.
func (n *conn) next(s *step, d time.Duration) {
	w := n.c.p.w
	there, back := s.way(), s.way()
	sent := time.Now().Add(d)
	w.after(d+there, func() {
		w.state.Lock()
		defer w.state.Unlock()
		if n.gone || n.hung || w.still {
			n.beating = false
			return
		}
		if n.run == w.server.run {
			n.send(back, func() { n.proves(sent) })
		}
		n.next(s, max(0, n.c.within/3-there))
	})
}

// watch reads an object of a process again and again, before something is done to its connection
// and for as long after it as there may be something near: most of what a proof is for happens
// in a few milliseconds.
func (w *world) watch(s *step, p *process, do func()) {
	o := &op{w: w, p: p, name: strings.ReplaceAll(s.id, " ", ""), touched: -1, marked: map[string]bool{}}
	first := o.pick(s).first()
	object := rowObject(first + int64(s.n(2)))
	if s.chance(300) {
		object = listObject(first + int64(s.n(2)))
	}
	for i := range 16 {
		if i == 2 {
			do()
		}
		if p.isDead() {
			return
		}
		o.get(o.context(), w.step(p.name, o.name), object, false, false)
		w.sleep(p, s.within(travel))
	}
}

// pulse lets heartbeats go out, or not: they are not worth their steps while nobody reads.
func (w *world) pulse(on bool) {
	w.state.Lock()
	defer w.state.Unlock()
	w.still = !on
	for _, p := range w.processes {
		p.client.conn.beat()
	}
}
