package cachert

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// Puts collects what a write stores. It is handed to Change.Put and must not be kept.
type Puts struct {
	ctx         context.Context
	uncommitted bool // the transaction goes on: what the source shows now may be rolled back
	list        []put
}

type put struct {
	key    string
	ttl    time.Duration
	cells  []string
	env    envelope
	serial int // within a Unit
}

func (p *Puts) add(e put) { p.list = append(p.list, e) }

// post sends the end of a write. It outlives the caller's context. What cannot be delivered
// is journalled, and the gate stays closed until it is: the caller then reads the source,
// never its own old value.
func (c *Cache) post(ctx context.Context, req store.PostRequest, stats *counters) ([]store.Outcome, error) {
	if len(req.Cells)+len(req.Bumps) == 0 {
		return nil, nil
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
		c.voids.notDelivered(stats, len(bare), err)
		return nil, err
	}
	return reply.Outcomes, nil
}

// countLost counts markers that were gone at the post. Where announcing failed that is no
// wonder, and counted already.
func (m *mutation) countLost(req store.PostRequest, outcomes []store.Outcome) {
	if m.blind {
		return
	}
	for i, o := range outcomes[:len(req.Cells)] {
		if o == store.Lost {
			m.stats.markersLost.Add(1)
			m.stats.observe(EventMarkerLost, 0, nil)
			m.c.opt.Logger.Warn("cachegen: a marker was gone before its write ended: is Lease longer than the database lets a write live? does the store evict?", "cell", req.Cells[i].Key)
		}
	}
}
