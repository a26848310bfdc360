package memstore

import (
	"context"
	"fmt"
	"hash/maphash"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// The defaults of Options.
const (
	DefaultMaxEntries = 1_000_000
	DefaultMaxBytes   = 256 << 20
	DefaultMaxCells   = 1_000_000
)

// Options bounds a Store. The zero value is ready to use.
type Options struct {
	// MaxEntries bounds the number of entries; 0 means DefaultMaxEntries.
	MaxEntries int
	// MaxBytes bounds the memory of entries: keys, values and about 128 bytes for each; 0
	// means DefaultMaxBytes. An entry larger than the share of one shard (a thirty-second
	// part, or all of it in a store of less than 2 MiB or 512 entries) is not kept.
	MaxBytes int64
	// MaxCells bounds the number of cells; 0 means DefaultMaxCells. A cell takes about 250
	// bytes besides its key. Too few cost hits: an entry whose cell is gone is invalid.
	MaxCells int
}

// Store is an in-process store.Store. All methods are safe for concurrent use.
type Store struct {
	seed   maphash.Seed
	shards []*shard
}

var _ store.Store = (*Store)(nil)

// New makes an empty store. It panics when a bound is negative.
func New(o Options) *Store {
	o = o.withDefaults()
	n := o.shards()
	s := &Store{seed: maphash.MakeSeed(), shards: make([]*shard, n)}
	for i := range s.shards {
		s.shards[i] = newShard(max(1, o.MaxEntries/n), max(1, o.MaxBytes/int64(n)), max(1, o.MaxCells/n))
	}
	return s
}

func (o Options) withDefaults() Options {
	if o.MaxEntries < 0 || o.MaxBytes < 0 || o.MaxCells < 0 {
		panic(fmt.Sprintf("cachegen: memstore: negative bound in %+v", o))
	}
	if o.MaxEntries == 0 {
		o.MaxEntries = DefaultMaxEntries
	}
	if o.MaxBytes == 0 {
		o.MaxBytes = DefaultMaxBytes
	}
	if o.MaxCells == 0 {
		o.MaxCells = DefaultMaxCells
	}
	return o
}

// shards is one for small stores, whose bounds would mean little once divided.
func (o Options) shards() int {
	if o.MaxEntries < 512 || o.MaxCells < 512 || o.MaxBytes < 2<<20 {
		return 1
	}
	return 32
}

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	now, err := begin(ctx)
	if err != nil {
		return store.ReadReply{}, err
	}
	var reply store.ReadReply
	if r.Entry != "" {
		if reply.Entry, err = s.shard(r.Entry).entry(r.Entry, now); err != nil {
			return store.ReadReply{}, err
		}
		if r.MaxEntry > 0 && len(reply.Entry) > r.MaxEntry {
			reply.Entry, reply.Foreign = nil, 1
		}
	}
	reply.Cells, err = s.observe(r.Cells, r.Near, r.Fresh, now, r.CellTTL)
	if err != nil {
		return store.ReadReply{}, err
	}
	return reply, nil
}

// Fill implements store.Store. It keeps a copy of the value.
func (s *Store) Fill(ctx context.Context, r store.FillRequest) error {
	now, err := begin(ctx)
	if err != nil {
		return err
	}
	if err := s.put(r.Entry, now); err != nil {
		return err
	}
	for _, key := range r.Renew {
		if err := s.shard(key).renew(key, now, r.CellTTL); err != nil {
			return err
		}
	}
	return nil
}

// Mark implements store.Store.
func (s *Store) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	now, err := begin(ctx)
	if err != nil {
		return nil, err
	}
	for _, key := range r.Cells {
		err := s.shard(key).update(key, now, func(c *cell) { c.mark(r.Token, now.Add(r.Lease)) })
		if err != nil {
			return nil, err
		}
	}
	return s.observe(r.Observe, false, r.Fresh, now, r.CellTTL)
}

// Post implements store.Store. Entries are stored first, so that whoever sees a generation
// taken here finds the entry written under it.
func (s *Store) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	now, err := begin(ctx)
	if err != nil {
		return store.PostReply{}, err
	}
	for _, e := range r.Entries {
		if err := s.put(e, now); err != nil {
			return store.PostReply{}, err
		}
	}
	expires := now.Add(r.CellTTL)
	outcomes := make([]store.Outcome, 0, len(r.Cells)+len(r.Bumps))
	for _, p := range r.Cells {
		err := s.shard(p.Key).update(p.Key, now, func(c *cell) {
			outcomes = append(outcomes, c.post(r.Token, p.Fresh, expires))
		})
		if err != nil {
			return store.PostReply{}, err
		}
	}
	for _, b := range r.Bumps {
		err := s.shard(b.Key).update(b.Key, now, func(c *cell) {
			outcomes = append(outcomes, c.bump(b, expires))
		})
		if err != nil {
			return store.PostReply{}, err
		}
	}
	return store.PostReply{Outcomes: outcomes}, nil
}

// Probe implements store.Store: memory is always there and never changes hands.
func (s *Store) Probe(ctx context.Context) (changed bool, err error) {
	if _, err := begin(ctx); err != nil {
		return false, err
	}
	return false, s.shards[0].open()
}

// Prove implements store.Store. A promise ends before whatever ends it returns.
func (s *Store) Prove(time.Duration) (lags bool) { return false }

// OnDown implements store.Store. There is no connection to lose: f is never called.
func (s *Store) OnDown(func(error)) {}

// Findings implements store.Store. Nothing is ever degraded.
func (s *Store) Findings() []store.Finding { return nil }

// Close ends all promises and frees everything. It is idempotent.
func (s *Store) Close() error {
	for _, sh := range s.shards {
		sh.close()
	}
	return nil
}

// Len returns the number of entries and cells held, expired ones included.
func (s *Store) Len() (entries, cells int) {
	for _, sh := range s.shards {
		e, c := sh.size()
		entries, cells = entries+e, cells+c
	}
	return entries, cells
}

func (s *Store) shard(key string) *shard {
	return s.shards[maphash.String(s.seed, key)%uint64(len(s.shards))]
}

func (s *Store) put(e store.Entry, now time.Time) error {
	return s.shard(e.Key).put(e.Key, e.Value, now, e.TTL)
}

func (s *Store) observe(keys []string, promise bool, fresh func() store.Generation, now time.Time, ttl time.Duration) ([]store.Cell, error) {
	if len(keys) == 0 {
		return nil, nil
	}
	cells := make([]store.Cell, len(keys))
	for i, key := range keys {
		err := s.shard(key).update(key, now, func(c *cell) {
			if c.absent() {
				c.set(fresh(), now.Add(ttl))
			}
			cells[i] = c.view(promise)
		})
		if err != nil {
			return nil, err
		}
	}
	return cells, nil
}

// begin is the start of every operation: a caller whose time is up gets what it would get
// from a store on the network.
func begin(ctx context.Context) (time.Time, error) {
	if err := ctx.Err(); err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", store.ErrDown, err)
	}
	return time.Now(), nil
}
