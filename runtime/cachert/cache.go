package cachert

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"regexp"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// ErrRefused reports that a write was refused before the source was touched, because the
// store could not be told and the write's policy is OnErrorFail, or because the row of its
// OnErrorOutbox could not be written.
var ErrRefused = errors.New("cachegen: write refused, the cache could not be told beforehand")

var errClosed = errors.New("the cache is closed")

// Options configure a Cache. Only Namespace is required; the zero value of every other
// field is the default named in its comment.
type Options struct {
	// Namespace keeps applications on one store apart: up to 64 letters, digits, '_', '-', '.'.
	Namespace string
	// Store holds entries and tags. Default: a memstore of its own, for one process. The
	// Cache closes it in Close.
	Store store.Store
	// StoreTimeout is the deadline of each store operation. Default: 100 ms.
	StoreTimeout time.Duration
	// Lease is how long the mark of a write stands when the writer dies. It must be longer
	// than the database lets the write live. The source of a marked write is called with a
	// deadline three quarters of it after the mark: what is not committed by then has an
	// outcome that is not known. Default: 10 s. At most store.MaxLease.
	Lease time.Duration
	// NearEntries and NearBytes bound the values kept decoded in the process. Defaults:
	// 100,000 and 64 MiB. A negative NearEntries keeps none.
	NearEntries int
	NearBytes   int64
	// NearTTL caps the life of a value in the process. Default: 30 s.
	NearTTL time.Duration
	// MaxLoads bounds how many loads of missed reads run at the same time; who comes later
	// waits as long as its context allows. Loads that are called by another load do not
	// count, nor do reads past the cache. Default: 1,000. Negative: no bound.
	MaxLoads int
	// Logger is told of findings about the store, outages and lost markers. Default:
	// slog.Default().
	Logger *slog.Logger
	// Observer is told of every event. Default: none.
	Observer Observer
	// Outbox keeps invalidations in the database, for writes with OnErrorOutbox: see package
	// outbox. Default: none, and such writes cannot be registered.
	Outbox Outbox
	// OutcomeUnknown recognises write errors after which the database may have committed
	// all the same. Default: DefaultOutcomeUnknown.
	OutcomeUnknown func(error) bool

	// ReplicaLag is how far replicas of the database may be behind their primary: for so long
	// after a change NeedsPrimary tells loads to ask the primary. Sources that always do need
	// none of it. Default: 0, loads are never told to ask a replica.
	ReplicaLag time.Duration
	// ClockSkew is how far apart the clocks of two processes may be. It is of interest for what
	// one tells another: sessions and ReplicaLag. Default: 1 s.
	ClockSkew time.Duration
	// StrictDespite names the findings about the store ("eviction") that strict methods are
	// served in spite of. Default: none, so that on a store that can lose the marker of a
	// write in progress strict reads go to the source and strict writes are refused: see
	// Ready.
	StrictDespite []string

	clock  func() time.Time
	random func() uint64
	pause  func(atMost time.Duration) time.Duration // of the keeper, drawn anew for each
}

var namespaceForm = regexp.MustCompile(fmt.Sprintf(`^[A-Za-z0-9_.-]{1,%d}$`, maxNamespace))

func (o *Options) complete() error {
	if !namespaceForm.MatchString(o.Namespace) {
		return fmt.Errorf("cachegen: namespace %q: use up to %d letters, digits, '_', '-' and '.'", o.Namespace, maxNamespace)
	}
	if o.StoreTimeout < 0 || o.Lease < 0 || o.NearTTL < 0 || o.NearBytes < 0 || o.ClockSkew < 0 || o.ReplicaLag < 0 {
		return errors.New("cachegen: StoreTimeout, Lease, NearTTL, NearBytes, ClockSkew and ReplicaLag must not be negative")
	}
	if o.Lease > store.MaxLease {
		return fmt.Errorf("cachegen: Lease is %v, more than %v: it is the time for which a tag stays uncached when a writer dies", o.Lease, store.MaxLease)
	}
	o.StoreTimeout = withDefault(o.StoreTimeout, 100*time.Millisecond)
	o.Lease = withDefault(o.Lease, 10*time.Second)
	o.NearTTL = withDefault(o.NearTTL, 30*time.Second)
	o.ClockSkew = withDefault(o.ClockSkew, time.Second)
	o.NearEntries = withDefault(o.NearEntries, 100_000)
	o.NearBytes = withDefault(o.NearBytes, 64<<20)
	o.MaxLoads = withDefault(o.MaxLoads, 1000)
	if o.Store == nil {
		o.Store = memstore.New(memstore.Options{})
	}
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	if o.OutcomeUnknown == nil {
		o.OutcomeUnknown = DefaultOutcomeUnknown
	}
	if o.clock == nil {
		o.clock = time.Now
	}
	if o.random == nil {
		o.random = rand.Uint64
	}
	if o.pause == nil {
		o.pause = func(atMost time.Duration) time.Duration { return rand.N(atMost + 1) }
	}
	return nil
}

func withDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Cache keeps the repositories of one namespace consistent over a store. It is safe for
// concurrent use.
type Cache struct {
	opt   Options
	store store.Store
	keys  keyspace
	near  *nearCache
	gate  *gate
	loads loads

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	fills  chan struct{} // one token per fill under way
	drains chan struct{} // one token while a Drain runs
	epoch  atomic.Uint64 // counts changes of the server behind the store
	server atomic.Uint64 // names the server, in each generation
	cell   atomic.Int64  // lifetime of cells, ns
	leased atomic.Int64  // longest bound at level leased, ns; 0 where promises do not lag
	oldest atomic.Int64  // longest bound of near hits, ns; 0: no reads

	voids voids

	id            uint64        // of this process, among those of the namespace
	longest       atomic.Int64  // TTL of all entries, ns
	sessions      atomic.Bool   // there has been a Session
	tokensIgnored atomic.Uint64 // of sessions

	renewOwed atomic.Bool // the server changed and the namespace has not been renewed since
	unsafe    safety      // whether strict methods can be served

	mu      sync.Mutex
	repos   map[string]*Repo // guarded by mu
	methods []*counters      // guarded by mu
}

const (
	maxFills    = 256
	minCellLife = 24 * time.Hour
)

// Open makes a Cache. A store that is down is not an error: reads go to the source until
// it is reached. Open waits at most StoreTimeout for it.
func Open(o Options) (*Cache, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	c := &Cache{
		opt: o, store: o.Store, keys: newKeyspace(o.Namespace), loads: newLoads(o.MaxLoads),
		fills: make(chan struct{}, maxFills), drains: make(chan struct{}, 1), repos: map[string]*Repo{},
	}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	if o.NearEntries > 0 {
		c.near = newNearCache(o.NearEntries, o.NearBytes, o.NearTTL)
	}
	c.cell.Store(int64(minCellLife))
	c.id = max(o.random(), 1) // 0 is no process
	c.gate = newGate(c)
	c.store.OnDown(func(err error) { c.gate.close(err) })
	ctx, cancel := context.WithTimeout(c.ctx, o.StoreTimeout)
	defer cancel()
	if err := c.probe(ctx); err != nil {
		c.gate.close(err)
	}
	return c, nil
}

// probe asks the store whether it may be trusted. A server that is not the one seen before
// may have gone back in time, so everything cached under the namespace is given up.
func (c *Cache) probe(ctx context.Context) error {
	changed, err := c.store.Probe(ctx)
	if err != nil {
		return err
	}
	if changed {
		c.otherServer()
	}
	if err := c.recognise(ctx); err != nil {
		return err
	}
	if c.renewOwed.Load() {
		if err := c.renew(ctx, c.keys.namespaceCell()); err != nil {
			return err
		}
		c.renewOwed.Store(false)
	}
	findings := c.store.Findings()
	c.judge(findings)
	for _, f := range findings {
		level := slog.LevelInfo
		if f.Degraded {
			level = slog.LevelWarn
		}
		c.opt.Logger.Log(ctx, level, "cachegen: "+f.Text, "code", f.Code)
	}
	return nil
}

// otherServer gives up what was cached on the server before.
func (c *Cache) otherServer() {
	c.epoch.Add(1)
	c.renewOwed.Store(true) // the store reports a change once
	if c.opt.Observer != nil {
		c.opt.Observer.Observe(Event{Kind: EventServerChange})
	}
}

// Close stops background work and closes the store. Reads and writes that come later go to
// the source; what is still owed to the store is lost, so call Drain first if that matters.
func (c *Cache) Close() error {
	c.gate.mu.Lock()
	c.cancel()
	c.gate.open.Store(false)
	c.gate.mu.Unlock()
	c.wg.Wait()
	return c.store.Close()
}

// Drain waits until fills under way have ended and every invalidation has been delivered. After
// Close nothing is delivered any more: then it fails if anything is owed.
func (c *Cache) Drain(ctx context.Context) error {
	select {
	case c.drains <- struct{}{}: // two of them could each hold half of the fills' tokens
		defer func() { <-c.drains }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for range maxFills {
		select {
		case c.fills <- struct{}{}:
			defer func() { <-c.fills }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	select {
	case <-c.gate.drained():
		if n := c.gate.pending(); n > 0 && c.ctx.Err() != nil { // nobody delivers after Close
			return fmt.Errorf("cachegen: %d invalidations not delivered: %w", n, errClosed)
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("cachegen: %d invalidations not delivered: %w", c.gate.pending(), ctx.Err())
	}
}

// Repo registers a repository. It panics when its name is empty or taken: two repositories
// of one name would share keys.
func (c *Cache) Repo(p RepoPolicy) *Repo {
	if c == nil {
		panic("cachegen: the Cache of repository " + p.Name + " is nil: use what cachert.Open returned")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Name == "" || c.repos[p.Name] != nil {
		panic(fmt.Sprintf("cachegen: repository name %q is empty or registered twice in one Cache", p.Name))
	}
	r := &Repo{cache: c, policy: p, cell: c.keys.repoCell(p.Name)}
	c.repos[p.Name] = r
	return r
}

func (c *Cache) method(repo, method string) *counters {
	c.mu.Lock()
	defer c.mu.Unlock()
	m := &counters{repo: repo, method: method, observer: c.opt.Observer}
	c.methods = append(c.methods, m)
	return m
}

// Stats returns what has been counted so far.
func (c *Cache) Stats() Stats {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := Stats{
		Open: c.gate.open.Load(), Journal: c.gate.pending(), Outages: c.gate.outages.Load(),
		MarkersLost: c.gate.lost.Load(), LoadsWaited: c.loads.waited.Load(),
		TokensIgnored: c.tokensIgnored.Load(),
	}
	for _, m := range c.methods {
		s.Methods = append(s.Methods, m.snapshot())
	}
	s.Voids = c.voids.sum(c.epoch.Load(), s.Methods)
	return s
}

// Findings says what is degraded about the store, and why.
func (c *Cache) Findings() []store.Finding { return c.store.Findings() }

func (c *Cache) now() time.Time { return c.opt.clock() }

// generationBase has no digit x, which separates the parts of a generation.
const generationBase = 32

// fresh makes a generation or token part that never repeats: the server, the clock, and 64
// random bits.
func (c *Cache) fresh() store.Generation {
	b := make([]byte, 0, 40)
	b = strconv.AppendUint(b, c.server.Load(), generationBase)
	b = append(b, 'x')
	b = strconv.AppendInt(b, c.now().UnixMicro(), generationBase)
	b = append(b, 'x')
	return store.Generation(strconv.AppendUint(b, c.opt.random(), generationBase))
}

// lengthenCells makes cells outlive entries of the given TTL.
func (c *Cache) lengthenCells(ttl time.Duration) {
	raise(&c.longest, ttl)
	raise(&c.cell, 2*ttl)
}

func (c *Cache) cellTTL() time.Duration { return time.Duration(c.cell.Load()) }

// renew gives cells new generations, whatever they hold.
func (c *Cache) renew(ctx context.Context, cells ...string) error {
	req := store.PostRequest{CellTTL: c.cellTTL()}
	for _, cell := range cells {
		req.Bumps = append(req.Bumps, store.BumpCell{Key: cell, Fresh: c.fresh()})
	}
	_, err := c.store.Post(ctx, req)
	return err
}
