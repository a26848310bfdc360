package cachert

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// gate decides whether the store is trusted. It closes when the store cannot be reached or
// an invalidation could not be delivered; then reads go to the source and the near cache is
// not served. One background keeper probes the store and opens the gate again only after
// every due invalidation has been delivered, because otherwise:
//
//  1. a write commits version 2; its post is lost with the connection
//  2. the connection comes back
//  3. a read finds version 1 valid: its generation was never changed
type gate struct {
	cache *Cache
	open  atomic.Bool

	mu      sync.Mutex
	journal *journal      // guarded by mu
	keeping bool          // a keeper runs
	wake    chan struct{} // buffered; tells the keeper of new work
	idle    chan struct{} // closed when nothing is undelivered and the gate is open
	outages atomic.Uint64
	lost    atomic.Uint64 // markers found gone by deliveries
}

const (
	maxJournal   = 100_000
	maxTaken     = 1000 // debts delivered at a time
	firstBackoff = 10 * time.Millisecond
	maxBackoff   = time.Second
)

func newGate(c *Cache) *gate {
	g := &gate{cache: c, journal: newJournal(), wake: make(chan struct{}, 1), idle: make(chan struct{})}
	close(g.idle)
	g.open.Store(true)
	return g
}

// failed is told of every failed store operation. The caller's own context ending is not
// the store's failure.
func (g *gate) failed(ctx context.Context, err error) {
	if ctx.Err() == nil && errors.Is(err, store.ErrDown) {
		g.close(err)
	}
}

// close stops trusting the store. It may be called from any goroutine and does not block.
func (g *gate) close(err error) {
	g.mu.Lock()
	lost := g.open.Swap(false)
	if lost {
		g.outages.Add(1)
	}
	g.keep(lost)
	g.mu.Unlock()
	if lost { // without the lock: a handler may ask for Stats
		g.cache.opt.Logger.Warn("cachegen: store lost, reading from the source", "error", err)
	}
}

// owe journals invalidations that must reach the store, not before the given time, and
// closes the gate if they are due now.
func (g *gate) owe(token string, cells []string, notBefore time.Time, cause error) {
	if len(cells) == 0 {
		return
	}
	g.mu.Lock()
	next := false
	for _, c := range cells {
		next = g.add(undelivered{c, token}, notBefore) || next
	}
	due := !notBefore.After(g.cache.now())
	if !due {
		g.keep(next)
	}
	g.mu.Unlock()
	if due {
		g.close(cause) // and wake the keeper: what is due is not sent before a probe
	}
}

// add writes to the journal, and reports whether nothing is due before that. Instead of all debts
// of a full one the namespace is owed: now, and again when the last of them would have been
// due. The caller holds mu.
func (g *gate) add(u undelivered, notBefore time.Time) (next bool) {
	next = g.journal.add(u, notBefore)
	if g.journal.len() <= maxJournal {
		return next
	}
	last := g.journal.clear()
	namespace := undelivered{cell: g.cache.keys.namespaceCell()}
	g.journal.add(namespace, last)
	return g.journal.add(namespace, g.cache.now())
}

// keep makes sure that a keeper runs, and where there is news for it that it looks again. The
// caller holds mu.
func (g *gate) keep(news bool) {
	if news {
		select {
		case g.wake <- struct{}{}:
		default:
		}
	}
	if g.keeping || g.cache.ctx.Err() != nil {
		return
	}
	g.keeping = true
	g.idle = make(chan struct{})
	g.cache.wg.Add(1)
	go g.run()
}

// run is the keeper: it ends when the gate is open and nothing is owed.
func (g *gate) run() {
	defer g.cache.wg.Done()
	backoff := firstBackoff
	for {
		var wait time.Duration
		wake := g.wake
		if err := g.deliver(); err != nil {
			wake = nil // failures of others must not make it probe faster
			wait = backoff/2 + g.cache.opt.pause(backoff/2)
			backoff = min(2*backoff, maxBackoff)
		} else {
			backoff = firstBackoff
			var done bool
			if wait, done = g.settle(); done {
				return
			}
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-wake:
		case <-g.cache.ctx.Done():
			timer.Stop()
			g.mu.Lock()
			g.keeping = false
			g.mu.Unlock()
			return
		}
		timer.Stop()
	}
}

// settle opens the gate when nothing due is owed. It returns how long to wait for what is
// due later, or that the keeper has nothing left to do.
func (g *gate) settle() (wait time.Duration, done bool) {
	opened := false
	defer func() {
		if opened {
			g.cache.opt.Logger.Info("cachegen: store trusted again")
		}
	}()
	g.mu.Lock()
	defer g.mu.Unlock()
	next, owed := g.journal.next()
	if wait = next.Sub(g.cache.now()); owed && wait <= 0 {
		return 0, false
	}
	if g.cache.ctx.Err() != nil {
		return 0, false // closed meanwhile: run ends without opening
	}
	opened = !g.open.Swap(true)
	if owed {
		return wait, false
	}
	g.keeping = false
	close(g.idle)
	return 0, true
}

// deliver probes the store and sends what is due.
func (g *gate) deliver() error {
	c := g.cache
	ctx, cancel := context.WithTimeout(c.ctx, max(c.opt.StoreTimeout, time.Second))
	defer cancel()
	if !g.open.Load() {
		if err := c.probe(ctx); err != nil {
			return err
		}
	}
	owed, err := g.send(ctx, g.take())
	if err != nil {
		g.restore(owed)
		g.close(err)
	}
	return err
}

// maxPosts bounds how many debts are being delivered at the same time.
const maxPosts = 32

// send delivers what is due, each write's markers in a request of their own, and returns what
// it could not. Many are under way at once: after an outage there may be more than one after
// another could be sent within the deadline.
func (g *gate) send(ctx context.Context, due []undelivered) (owed []undelivered, err error) {
	byToken := map[string][]undelivered{}
	for _, u := range due {
		byToken[u.token] = append(byToken[u.token], u)
	}
	var mu sync.Mutex // guards owed and err
	var wg sync.WaitGroup
	slots := make(chan struct{}, maxPosts)
	for token, list := range byToken {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			reply, failed := g.cache.store.Post(ctx, g.request(token, list))
			if failed == nil {
				if token != "" && token != proofToken {
					g.lost.Add(lost(reply))
				}
				return
			}
			mu.Lock()
			defer mu.Unlock()
			err = failed
			owed = append(owed, list...)
		})
	}
	wg.Wait()
	return owed, err
}

// lost counts the markers that a post has found gone.
func lost(reply store.PostReply) (n uint64) {
	for _, o := range reply.Outcomes {
		if o == store.Lost {
			n++
		}
	}
	return n
}

func (g *gate) request(token string, list []undelivered) store.PostRequest {
	c := g.cache
	req := store.PostRequest{Token: token, CellTTL: c.cellTTL()}
	for _, u := range list {
		if token == "" {
			req.Bumps = append(req.Bumps, store.BumpCell{Key: u.cell, Fresh: c.fresh()})
		} else {
			req.Cells = append(req.Cells, store.PostCell{Key: u.cell, Fresh: c.fresh()})
		}
	}
	return req
}

// take removes what is due from the journal, a bounded number at a time, before it is sent:
//
//  1. the keeper sends what is owed on a cell
//  2. another write commits and owes the same cell
//  3. if the keeper removed the entry only now, it would remove the second debt too
func (g *gate) take() []undelivered {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.journal.take(g.cache.now(), maxTaken)
}

// restore owes now what could not be sent. Sending it twice does no harm.
func (g *gate) restore(owed []undelivered) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.cache.now()
	for _, u := range owed {
		g.add(u, now)
	}
}

func (g *gate) pending() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.journal.len()
}

// drained is closed once nothing is owed and the store is trusted.
func (g *gate) drained() <-chan struct{} {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.idle
}
