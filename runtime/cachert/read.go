package cachert

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// maxRows bounds the tags that one result may name; results with more are not stored.
const maxRows = 256

// Call names what one call of a read asks for. Its closures must be pure: they may be
// called any number of times.
type Call[V any] struct {
	// Key holds the encoded arguments; nil: there are none.
	Key *Args
	// Tags adds the tags known from the arguments; nil: there are none.
	Tags func(t *Tags)
	// Rows adds the tags known only from the result; nil: there are none.
	Rows func(ret V, t *Tags)
	// Bypass sends this call to the source.
	Bypass bool
}

func (c Call[V]) addTags(t *Tags) {
	if c.Tags != nil {
		c.Tags(t)
	}
}

// target is a call resolved to keys.
type target struct {
	near  string    // key in the near cache, and of flights
	entry string    // key in the store
	cells []string  // namespace, repository, argument tags
	began turn      // when the read began, for the near cache
	asked time.Time // ... and by the clock
}

// Get answers a call from the cache, or through load from the source. The value is the
// caller's own. Errors are those of load, or of ctx while waiting for a shared load or for
// the turn to load (ErrOverloaded): the cache adds none.
func (r *Reader[V]) Get(ctx context.Context, call Call[V], load func(context.Context) (V, error)) (V, error) {
	c := r.repo.cache
	sc, ok := r.repo.scope(ctx)
	if !ok || r.derived || call.Bypass || bypassed(ctx) || c.unit(ctx) != nil || call.Key.Err() != nil {
		return r.bypass(ctx, call, load)
	}
	level := effective(ctx, r.policy.Level)
	strict := level == LevelStrict
	args := call.Key.text()
	if !strict && c.trusts(level) {
		now, near := c.now(), c.near.get(r.nearKey(sc, args))
		proved := near.proved(now, r.bound)
		switch {
		case !near.servable(now):
		case !proved:
			r.stats.lapsed()
		case r.trusts(ctx, sc, args, near):
			r.stats.hit(EventNearHit, near.kind)
			return r.answer(r.clone(near.value.(V)), near.kind, near.sentinel)
		}
	}
	t, ok := r.resolve(ctx, sc, r.nearKey(sc, args), args, call)
	if !ok {
		return r.bypass(ctx, call, load)
	}
	var old *nearEntry
	old, t.began = c.near.begin(t.near)
	t.asked = c.now()
	if !c.trusts(level) {
		return r.miss(ctx, t, load)
	}
	return r.getFromStore(ctx, call, t, old, strict, load)
}

// nearKey is a call's key in the near cache: tenant, repository, key space, arguments. It is made
// anew for each use: kept for what follows a miss it would be allocated at each near hit.
func (r *Reader[V]) nearKey(scope, args string) string { return scope + r.id + ":" + args }

// resolve finds the store's keys of a call; false when a tag cannot be encoded. The entry
// stands in the cluster slot of its first argument tag.
func (r *Reader[V]) resolve(ctx context.Context, scope, near, args string, call Call[V]) (target, bool) {
	tags := r.repo.tags(ctx)
	keys := &tags.cache.keys
	tags.cells = append(make([]string, 0, 4), keys.namespaceCell(), r.repo.cell)
	cells := tags.collect(call.Tags)
	var slot string // with the prefix
	if len(cells) > 2 {
		slot = cells[2]
	}
	entry := keys.entry(slot, near, scope+r.id+":"+r.policy.Schema+":"+args)
	return target{near: near, entry: entry, cells: cells}, tags.err == nil
}

func (r *Reader[V]) bypass(ctx context.Context, call Call[V], load func(context.Context) (V, error)) (V, error) {
	if call.Key.Err() != nil {
		r.stats.codecErrors.Add(1)
	}
	r.stats.bypasses.Add(1)
	r.stats.observe(EventBypass, 0, nil)
	return load(onPrimary(ctx))
}

// miss asks the source for this caller alone and stores nothing.
func (r *Reader[V]) miss(ctx context.Context, t target, load func(context.Context) (V, error)) (V, error) {
	r.stats.misses.Add(1)
	r.stats.observe(EventMiss, 0, nil)
	defer r.noteLoaded(ctx, t)
	defer func() { r.repo.cache.near.complete(t.near, t.began, loaded, nil, 0) }()
	return r.load(onPrimary(ctx), load)
}

// snapshot is what was seen in cells before a load.
type snapshot map[string]store.Cell

func (s snapshot) clean(cells []string) bool {
	for _, c := range cells {
		if cell, ok := s[c]; !ok || cell.Marked || cell.Generation == "" {
			return false
		}
	}
	return true
}

// widen adds to cells those of deps that have been seen, too: whose load is joined must have
// seen the same in them, and in none of them may a write be in progress.
func (s snapshot) widen(cells []string, deps []dep) []string {
	for _, d := range deps {
		if _, seen := s[d.cell]; seen && !slices.Contains(cells, d.cell) {
			cells = append(slices.Clip(cells), d.cell)
		}
	}
	return cells
}

// read adds cells to s and returns the entry, in one round trip.
func (r *Reader[V]) read(ctx context.Context, s snapshot, entry string, cells []string, near bool) ([]byte, error) {
	c := r.repo.cache
	storeCtx, cancel := c.storeContext(ctx)
	defer cancel()
	reply, err := c.store.Read(storeCtx, store.ReadRequest{
		Entry: entry, MaxEntry: r.maxSize(), Cells: cells, Near: near, Fresh: c.fresh, CellTTL: c.cellTTL(),
	})
	if err != nil {
		r.stats.storeError(err)
		c.gate.failed(ctx, err)
		return nil, err
	}
	r.stats.foreign.Add(uint64(reply.Foreign))
	for i, cell := range cells {
		s[cell] = reply.Cells[i]
	}
	return reply.Entry, nil
}

func (r *Reader[V]) getFromStore(ctx context.Context, call Call[V], t target, old *nearEntry, strict bool, load func(context.Context) (V, error)) (V, error) {
	snap := snapshot{}
	cells := t.cells
	if old != nil && len(old.rows) > 0 { // predict the tags of the rows: they must be snapshotted before a load
		cells = slices.Concat(cells, without(old.rows, cells))
	}
	raw, err := r.read(ctx, snap, t.entry, cells, !strict)
	if err != nil {
		return r.miss(ctx, t, load)
	}
	if raw != nil {
		v, env, hit, err := r.check(ctx, snap, t, raw, strict)
		if err != nil {
			return r.miss(ctx, t, load)
		}
		if hit && r.settled(ctx, snap) {
			r.noteStored(ctx, t, env.deps)
			r.stats.hit(EventStoreHit, env.kind)
			return r.answer(r.clone(v), env.kind, env.sentinel)
		}
		cells = snap.widen(cells, env.deps)
	}
	if !snap.clean(cells) {
		r.stats.fillsSkipped.Add(1)
		return r.miss(ctx, t, load)
	}
	r.stats.misses.Add(1)
	r.stats.observe(EventMiss, 0, nil)
	key, primary := flightKey(t.near, cells, snap), r.primary(ctx, snap, strict)
	if primary {
		key += " primary"
	}
	if isInside(ctx) { // must not join a load that waits for a turn
		key += " inside"
	}
	if r.alone(ctx) {
		key += " " + string(r.repo.cache.fresh())
	}
	defer r.noteLoaded(ctx, t)
	return r.fly(ctx, key, func(ctx context.Context, full func() bool) (V, error) {
		return r.loadAndFill(ctx, call, t, snap, primary, full, load)
	})
}

// flightKey joins calls that have seen the same generations in the same cells, those of
// predicted rows included.
func flightKey(near string, cells []string, s snapshot) string {
	var b strings.Builder
	b.Grow(len(near) + 40*len(cells))
	b.WriteString(near)
	for _, c := range cells {
		b.WriteByte(' ')
		b.WriteString(string(s[c].Generation))
	}
	return b.String()
}

// check validates a stored entry against the snapshot, reading the cells that only the
// entry names. A valid one is decoded and kept near.
func (r *Reader[V]) check(ctx context.Context, snap snapshot, t target, raw []byte, strict bool) (v V, env envelope, hit bool, err error) {
	env, perr := parseEnvelope(raw, t.entry)
	if perr != nil || !r.plausible(env) {
		r.stats.foreign.Add(1)
		return v, env, false, nil
	}
	var more, rows []string
	for _, d := range env.deps {
		if !slices.Contains(t.cells, d.cell) {
			rows = append(rows, d.cell)
		}
		if _, ok := snap[d.cell]; !ok {
			more = append(more, d.cell)
		}
	}
	if len(more) > 0 {
		if _, err := r.read(ctx, snap, "", more, !strict); err != nil {
			return v, env, false, err
		}
	}
	for _, cell := range t.cells { // an entry must name at least what this call depends on
		if !slices.ContainsFunc(env.deps, func(d dep) bool { return d.cell == cell }) {
			return v, env, false, nil
		}
	}
	for _, d := range env.deps {
		if cell := snap[d.cell]; cell.Marked || cell.Generation != d.gen {
			return v, env, false, nil
		}
	}
	if v, err = r.policy.Codec.Decode(env.payload); err != nil {
		r.stats.codecErrors.Add(1)
		return v, env, false, nil
	}
	if strict {
		r.complete(t, confirmed, &nearEntry{rows: rows}, v, 0)
	} else {
		r.complete(t, stored, r.nearEntry(t, stored, snap, env.deps, rows, v, env.kind, env.sentinel, env.expires), v, len(env.payload))
	}
	return v, env, true, nil
}

// loadAndFill runs inside a flight: snap was taken before. It calls full when nobody may join
// any more.
func (r *Reader[V]) loadAndFill(ctx context.Context, call Call[V], t target, snap snapshot, primary bool, full func() bool, load func(context.Context) (V, error)) (V, error) {
	told := false
	defer func() {
		if !told {
			r.repo.cache.near.complete(t.near, t.began, loaded, nil, 0)
		}
	}()
	v, storable, err := r.loadFrom(ctx, primary, load)
	what, sentinel := r.classify(v, err)
	if what == kindNone {
		r.skipped(err)
		return v, err
	}
	rows := r.rows(ctx, call, t, v, err)
	if unseen := unseen(snap, rows); len(unseen) > 0 {
		// The prediction missed. Snapshot what the result names, then load once more:
		// a snapshot taken after the load would bless a value that is already old. Who comes
		// from here on may have seen a write to one of these tags, and must not join.
		shared := full()
		if len(rows) > maxRows || !r.sees(ctx, snap, unseen) {
			r.stats.fillsSkipped.Add(1)
			if shared { // so may who has come before
				v, _, err = r.loadFrom(ctx, true, load)
			}
			return v, err
		}
		v, storable, err = r.loadFrom(ctx, r.primary(ctx, snap, primary), load)
		if what, sentinel = r.classify(v, err); what == kindNone {
			r.skipped(err)
			return v, err
		}
		rows = r.rows(ctx, call, t, v, err)
	}
	cells := append(slices.Clone(t.cells), rows...)
	if !storable || len(rows) > maxRows || !snap.clean(cells) {
		r.stats.fillsSkipped.Add(1)
		return v, err
	}
	told = r.fill(t, snap, cells, rows, v, what, sentinel)
	return v, err
}

// sees adds cells to s, if the store answers.
func (r *Reader[V]) sees(ctx context.Context, s snapshot, cells []string) bool {
	_, err := r.read(ctx, s, "", cells, true)
	return err == nil
}

func (r *Reader[V]) skipped(err error) {
	if err == nil || r.wrapsSentinel(err) {
		r.stats.fillsSkipped.Add(1)
	}
}

// rows lists the cells of the tags known from the result that the arguments do not name.
func (r *Reader[V]) rows(ctx context.Context, call Call[V], t target, v V, err error) []string {
	if call.Rows == nil || err != nil {
		return nil
	}
	tags := r.repo.tags(ctx)
	return without(tags.collect(func(tt *Tags) { call.Rows(v, tt) }), t.cells)
}

func unseen(s snapshot, cells []string) []string {
	var out []string
	for _, c := range cells {
		if _, ok := s[c]; !ok {
			out = append(out, c)
		}
	}
	return out
}

func without(list, other []string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(s string) bool { return slices.Contains(other, s) })
}

// lifetime is the TTL of one entry: jitter keeps entries stored together from expiring
// together.
func (r *Reader[V]) lifetime(what kind) time.Duration {
	ttl := r.policy.TTL
	if what != kindValue {
		ttl = min(ttl, r.policy.Negative)
	}
	if r.policy.Jitter > 0 {
		part := float64(r.repo.cache.opt.random()>>11) / (1 << 53)
		ttl -= time.Duration(float64(ttl) * r.policy.Jitter * part)
	}
	return max(ttl, time.Millisecond)
}
