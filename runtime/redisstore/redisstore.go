package redisstore

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
	"github.com/redis/rueidis"
)

// Options tune a Store. The zero value is the default.
type Options struct {
	// MaxTracked bounds the cells whose generation is kept in the process, per connection.
	// 0: 1,000,000, at about 300 bytes each. It should not exceed the server's
	// tracking-table-max-keys.
	MaxTracked int
}

// Store implements store.Store. It connects in Probe, in the background of a cachert.Cache.
type Store struct {
	opt        rueidis.ClientOption
	maxTracked int
	index      sync.Map // cell key -> *tracked; each owned by the feed that made it

	mu       sync.Mutex // serialises Probe and Close
	runs     string     // run ids of the servers last seen; guarded by mu
	client   atomic.Pointer[rueidis.Client]
	near     atomic.Bool // tracking works
	closed   atomic.Bool
	onDown   atomic.Pointer[func(error)]
	findings atomic.Pointer[[]store.Finding]
}

var _ store.Store = (*Store)(nil)

const maxDial = 500 * time.Millisecond

// New makes a Store for the servers that opt names. It does not connect, so a server that is
// down is not an error. It fails for options under which the protocol does not hold.
func New(opt rueidis.ClientOption, o Options) (*Store, error) {
	switch {
	case opt.SendToReplicas != nil || opt.ReplicaOnly:
		return nil, errors.New("cachegen: cells must be read from the primary: leave SendToReplicas and ReplicaOnly unset")
	case opt.NewCacheStoreFn != nil:
		return nil, errors.New("cachegen: the store brings its own client-side cache: leave NewCacheStoreFn unset")
	case slices.ContainsFunc(opt.ClientTrackingOptions, func(s string) bool {
		return strings.EqualFold(s, "BCAST") || strings.EqualFold(s, "NOLOOP")
	}):
		return nil, errors.New("cachegen: under BCAST or NOLOOP a process reads its own old values: leave ClientTrackingOptions unset")
	}
	s := &Store{opt: opt, maxTracked: o.MaxTracked}
	if s.maxTracked <= 0 {
		s.maxTracked = 1_000_000
	}
	s.opt.PipelineMultiplex = -1
	s.opt.DisableRetry = true
	if s.opt.Dialer.Timeout <= 0 || s.opt.Dialer.Timeout > maxDial {
		s.opt.Dialer.Timeout = maxDial
	}
	if s.opt.ConnWriteTimeout <= 0 {
		s.opt.ConnWriteTimeout = time.Second
	}
	s.opt.NewCacheStoreFn = func(rueidis.CacheStoreOption) rueidis.CacheStore { return newFeed(s) }
	return s, nil
}

// call runs f against the client and returns when ctx ends even if f does not: rueidis
// ignores ctx while it dials.
func call[T any](ctx context.Context, s *Store, f func(rueidis.Client) (T, error)) (T, error) {
	var zero T
	client := s.client.Load()
	if client == nil || s.closed.Load() {
		return zero, fmt.Errorf("%w: not connected", store.ErrDown)
	}
	if err := ctx.Err(); err != nil {
		return zero, fmt.Errorf("%w: %w", store.ErrDown, err)
	}
	type result struct {
		v   T
		err error
	}
	done := make(chan result, 1)
	go func() {
		v, err := f(*client)
		done <- result{v, err}
	}()
	select {
	case r := <-done:
		if r.err != nil {
			return zero, fmt.Errorf("%w: %w", store.ErrDown, r.err)
		}
		return r.v, nil
	case <-ctx.Done():
		return zero, fmt.Errorf("%w: %w", store.ErrDown, ctx.Err())
	}
}

// Read implements store.Store.
func (s *Store) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	return call(ctx, s, func(c rueidis.Client) (store.ReadReply, error) {
		if r.Near && s.near.Load() {
			return s.readNear(ctx, c, r)
		}
		return s.readFresh(ctx, c, r)
	})
}

func (s *Store) readFresh(ctx context.Context, c rueidis.Client, r store.ReadRequest) (store.ReadReply, error) {
	cmds := make(rueidis.Commands, 0, len(r.Cells)+1)
	for _, key := range r.Cells {
		cmds = append(cmds, c.B().Get().Key(key).Build())
	}
	if r.Entry != "" {
		cmds = append(cmds, c.B().Get().Key(r.Entry).Build())
	}
	if len(cmds) == 0 {
		return store.ReadReply{}, nil
	}
	return s.reply(ctx, c, r, c.DoMulti(ctx, cmds...), false)
}

// readNear asks for what this process does not know. A hot read asks for the entry alone.
func (s *Store) readNear(ctx context.Context, c rueidis.Client, r store.ReadRequest) (store.ReadReply, error) {
	cells := make([]store.Cell, len(r.Cells))
	known := true
	for i, key := range r.Cells {
		if cells[i], known = s.tracked(key); !known {
			break
		}
	}
	if known {
		reply, err := s.readFresh(ctx, c, store.ReadRequest{Entry: r.Entry})
		reply.Cells = cells
		return reply, err
	}
	cts := make([]rueidis.CacheableTTL, 0, len(r.Cells)+1)
	for _, key := range r.Cells {
		cts = append(cts, rueidis.CT(c.B().Get().Key(key).Cache(), backstop))
	}
	if r.Entry != "" {
		cts = append(cts, rueidis.CT(c.B().Get().Key(r.Entry).Cache(), backstop))
	}
	return s.reply(ctx, c, r, c.DoMultiCache(ctx, cts...), true)
}

// tracked returns a cell that this process knows, generation and promise together.
func (s *Store) tracked(key string) (store.Cell, bool) {
	v, ok := s.index.Load(key)
	if !ok {
		return store.Cell{}, false
	}
	t := v.(*tracked)
	if !t.live.Alive() || !time.Now().Before(t.expires) {
		return store.Cell{}, false
	}
	return store.Cell{Generation: t.gen, Live: t.live}, true
}

// reply reads results in the order cells, entry; absent cells are made.
func (s *Store) reply(ctx context.Context, c rueidis.Client, r store.ReadRequest, results []rueidis.RedisResult, near bool) (store.ReadReply, error) {
	out := store.ReadReply{Cells: make([]store.Cell, len(r.Cells))}
	var absent []int
	for i, key := range r.Cells {
		text, err := results[i].ToString()
		switch {
		case rueidis.IsRedisNil(err):
			absent = append(absent, i)
		case err != nil:
			return out, err
		default:
			out.Cells[i] = parseCell(text)
			// The promise counts for the generation it was made for, which may be another
			// than the one in this reply.
			if t, ok := s.tracked(key); near && ok {
				out.Cells[i] = t
			}
		}
	}
	if r.Entry != "" {
		b, err := results[len(r.Cells)].AsBytes()
		if err != nil && !rueidis.IsRedisNil(err) {
			return out, err
		}
		out.Entry = b
	}
	return out, s.make(ctx, c, r, absent, out.Cells)
}

func parseCell(text string) store.Cell {
	if gen, ok := strings.CutPrefix(text, "g"); ok {
		return store.Cell{Generation: store.Generation(gen)}
	}
	return store.Cell{Marked: true}
}

// make gives absent cells a generation; where another reader was faster, that one's.
func (s *Store) make(ctx context.Context, c rueidis.Client, r store.ReadRequest, absent []int, cells []store.Cell) error {
	if len(absent) == 0 {
		return nil
	}
	cmds := make(rueidis.Commands, len(absent))
	for i, a := range absent {
		gen := r.Fresh()
		cells[a] = store.Cell{Generation: gen}
		cmds[i] = c.B().Set().Key(r.Cells[a]).Value("g" + string(gen)).Nx().Get().Px(r.CellTTL).Build()
	}
	for i, res := range c.DoMulti(ctx, cmds...) {
		text, err := res.ToString()
		if err == nil {
			cells[absent[i]] = parseCell(text)
		} else if !rueidis.IsRedisNil(err) {
			return err
		}
	}
	return nil
}

// OnDown implements store.Store.
func (s *Store) OnDown(f func(error)) { s.onDown.Store(&f) }

// lost is called when a connection with tracked cells has ended.
func (s *Store) lost(err error) {
	if f := s.onDown.Load(); f != nil && !s.closed.Load() {
		(*f)(fmt.Errorf("%w: connection lost: %w", store.ErrDown, err))
	}
}

// Findings implements store.Store.
func (s *Store) Findings() []store.Finding {
	if f := s.findings.Load(); f != nil {
		return *f
	}
	return nil
}

// Close implements store.Store.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Swap(true) {
		return nil
	}
	if c := s.client.Load(); c != nil {
		(*c).Close()
	}
	s.index.Range(func(_, v any) bool {
		v.(*tracked).live.End()
		return true
	})
	return nil
}
