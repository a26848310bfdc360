package redisstore

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

// Store is a store.Store on Redis. All methods are safe for concurrent use.
type Store struct {
	opt     rueidis.ClientOption
	options Options

	current atomic.Pointer[session] // ready; nil while there is none
	onDown  atomic.Pointer[func(error)]
	closed  atomic.Bool
	probing chan struct{} // held by the Probe that runs
	pulse   *pulse

	mu       sync.Mutex
	servers  map[string]bool // run ids seen by the last good probe; guarded by mu
	findings []store.Finding // guarded by mu
}

var (
	_ store.Store      = (*Store)(nil)
	_ store.Identified = (*Store)(nil)
)

// New makes a store. It does not connect: Probe does, and until it has succeeded every
// operation fails with store.ErrDown at once. An error is about options that the protocol
// cannot work with, and says what to do instead. Which options are overridden stands in the
// package comment; opt itself is not changed.
func New(opt rueidis.ClientOption, o Options) (*Store, error) {
	o, err := o.complete()
	if err != nil {
		return nil, err
	}
	if opt, err = connection(opt, o); err != nil {
		return nil, err
	}
	return &Store{opt: opt, options: o, probing: make(chan struct{}, 1), pulse: newPulse()}, nil
}

// session returns the one in use.
func (s *Store) session() (*session, error) {
	if current := s.current.Load(); current != nil && !current.ended.Load() {
		return current, nil
	}
	if s.closed.Load() {
		return nil, down(errClosed)
	}
	return nil, down(errUnproven)
}

// OnDown implements store.Store.
func (s *Store) OnDown(f func(error)) { s.onDown.Store(&f) }

// lost is told when the session in use has ended.
func (s *Store) lost(ended *session, err error) {
	s.current.CompareAndSwap(ended, nil)
	if f := s.onDown.Load(); f != nil && !s.closed.Load() {
		(*f)(down(err))
	}
}

// Findings implements store.Store. They are those of the last Probe that reached a server.
func (s *Store) Findings() []store.Finding {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]store.Finding(nil), s.findings...)
}

// Close ends all promises and closes the connections, behind the caller's back where a
// server is silent. It is idempotent.
func (s *Store) Close() error {
	s.closed.Store(true)
	if current := s.current.Swap(nil); current != nil {
		current.end(errClosed)
	}
	return nil
}

// Tracked is the number of cells on which promises are held.
func (s *Store) Tracked() int {
	if current, err := s.session(); err == nil {
		return current.table.len()
	}
	return 0
}

// Read implements store.Store. It takes one round trip, and a second one where a cell is
// absent. What it returns is the caller's.
func (s *Store) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	current, err := s.session()
	if err != nil {
		return store.ReadReply{}, err
	}
	return current.read(ctx, r)
}

// Fill implements store.Store.
func (s *Store) Fill(ctx context.Context, r store.FillRequest) error {
	current, err := s.session()
	if err != nil {
		return err
	}
	return current.fill(ctx, r)
}

// Mark implements store.Store. Promises of this process for the marked cells have ended when
// it returns.
func (s *Store) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	current, err := s.session()
	if err != nil {
		return nil, err
	}
	return current.mark(ctx, r)
}

// Post implements store.Store.
func (s *Store) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	current, err := s.session()
	if err != nil {
		return store.PostReply{}, err
	}
	return current.post(ctx, r)
}
