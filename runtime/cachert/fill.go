package cachert

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// answer returns a stored result as the source returned it.
func (r *Reader[V]) answer(v V, what kind, sentinel int) (V, error) {
	if what == kindError {
		return v, r.policy.NotFound[sentinel]
	}
	return v, nil
}

// classify says whether and how a result may be stored.
func (r *Reader[V]) classify(v V, err error) (kind, int) {
	if err != nil {
		if i := r.sentinel(err); i >= 0 && r.policy.Negative > 0 {
			return kindError, i
		}
		return kindNone, 0
	}
	if r.policy.Absent != nil && r.policy.Absent(v) {
		if r.policy.Negative > 0 {
			return kindAbsent, 0
		}
		return kindNone, 0
	}
	return kindValue, 0
}

// sentinel is the index of exactly this error among NotFound, or -1.
func (r *Reader[V]) sentinel(err error) int {
	for i, s := range r.policy.NotFound {
		if err == s { //nolint:errorlint // identity is the point: a hit must return the same error
			return i
		}
	}
	return -1
}

func (r *Reader[V]) wrapsSentinel(err error) bool {
	for _, s := range r.policy.NotFound {
		if errors.Is(err, s) {
			return true
		}
	}
	return false
}

// fill keeps a loaded value near at once and stores it without making the caller wait. It says
// whether the near cache has been told.
func (r *Reader[V]) fill(t target, snap snapshot, cells, rows []string, v V, what kind, sentinel int) bool {
	c := r.repo.cache
	payload, err := r.policy.Codec.Append(nil, v)
	if err != nil {
		r.stats.codecErrors.Add(1)
		return false
	}
	deps := make([]dep, len(cells))
	for i, cell := range cells {
		deps[i] = dep{cell, snap[cell].Generation}
	}
	ttl := r.lifetime(what)
	now := c.now()
	env := envelope{kind: what, sentinel: sentinel, stored: now, expires: now.Add(ttl), deps: deps, payload: payload}
	r.complete(t, loaded, r.nearEntry(snap, deps, rows, v, what, sentinel, env.expires), v, len(payload))
	select {
	case c.fills <- struct{}{}:
	default: // the store does not keep up: the next read loads again
		r.stats.fillsSkipped.Add(1)
		return true
	}
	go func() {
		defer func() { <-c.fills }()
		ctx, cancel := c.storeContext(c.ctx)
		defer cancel()
		err := c.store.Fill(ctx, store.FillRequest{
			Entry:   store.Entry{Key: t.entry, Value: env.append(nil), TTL: ttl},
			Renew:   c.aged(deps, now),
			CellTTL: c.cellTTL(),
		})
		if err != nil {
			r.stats.storeError(err)
			c.gate.failed(c.ctx, err)
			return
		}
		r.stats.fills.Add(1)
	}()
	return true
}

// nearEntry is a result as it would be kept in the process: servable if each generation it
// depends on comes with a promise. v is shared from here on.
func (r *Reader[V]) nearEntry(snap snapshot, deps []dep, rows []string, v V, what kind, sentinel int, expires time.Time) *nearEntry {
	near := r.repo.cache.near
	if near == nil {
		return nil
	}
	if limit := r.repo.cache.now().Add(near.ttl); expires.After(limit) {
		expires = limit
	}
	lives := make([]*store.Live, 0, len(deps))
	for _, d := range deps {
		live := snap[d.cell].Live
		if live == nil {
			return &nearEntry{rows: rows} // only the prediction is of use
		}
		lives = append(lives, live)
	}
	return &nearEntry{value: v, kind: what, sentinel: sentinel, lives: lives, expires: expires, rows: rows}
}

// complete tells the near cache of a result that is about to be handed out. e may be nil.
func (r *Reader[V]) complete(t target, how found, e *nearEntry, v V, encoded int) {
	if e != nil && len(e.lives) > 0 && r.policy.Codec.Size != nil {
		encoded = r.policy.Codec.Size(v)
	}
	r.repo.cache.near.complete(t.near, t.began, how, e, encoded)
}

// aged lists the cells whose generation is old enough that their lifetime may need
// renewing; the generation itself tells when it was made.
func (c *Cache) aged(deps []dep, now time.Time) []string {
	var cells []string
	for _, d := range deps {
		_, rest, _ := strings.Cut(string(d.gen), "x")
		if clock, _, ok := strings.Cut(rest, "x"); ok {
			made, err := strconv.ParseInt(clock, base, 64)
			if err == nil && now.Sub(time.UnixMicro(made)) < c.cellTTL()/2 {
				continue
			}
		}
		cells = append(cells, d.cell)
	}
	return cells
}

// Put stores v as the result of call when the write that p belongs to has ended without
// another one overlapping it. v is what the database holds now; it is copied.
func (r *Reader[V]) Put(p *Puts, call Call[V], v V) {
	what, sentinel := r.classify(v, nil)
	if what != kindValue || call.Bypass || call.Key.Err() != nil {
		return
	}
	sc, ok := r.repo.scope(p.ctx)
	if !ok {
		return
	}
	args := call.Key.text()
	t, ok := r.resolve(p.ctx, sc, r.nearKey(sc, args), args, call)
	if !ok {
		return
	}
	cells := append(t.cells, r.rows(p.ctx, call, t, v, nil)...)
	payload, err := r.policy.Codec.Append(nil, v)
	if err != nil || len(cells) > maxRows {
		r.stats.codecErrors.Add(1)
		return
	}
	ttl := r.lifetime(what)
	now := r.repo.cache.now()
	p.add(put{key: t.entry, ttl: ttl, cells: cells, env: envelope{
		kind: what, sentinel: sentinel, stored: now, expires: now.Add(ttl), payload: payload,
	}})
}

// Reload is Put of what load returns now, after the commit and inside the write's step.
// When load fails nothing is stored; the next read loads. In a unit of work nothing is.
func (r *Reader[V]) Reload(p *Puts, call Call[V], load func(context.Context) (V, error)) {
	if p.uncommitted {
		return
	}
	if v, err := r.load(inside(p.ctx), load); err == nil {
		r.Put(p, call, v)
	}
}
