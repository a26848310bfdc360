package cachert

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// RepoPolicy describes a repository.
type RepoPolicy struct {
	// Name is part of every key; unique within a Cache.
	Name string
	// Tenant finds whose data a call is about; nil: the repository has no tenants. A read
	// without a tenant goes to the source, a write without one drops the repository for
	// all tenants.
	Tenant func(context.Context) (string, bool)
}

// Repo is a repository registered with a Cache. It is safe for concurrent use.
type Repo struct {
	cache  *Cache
	policy RepoPolicy
	cell   string // on which all of its entries depend
}

// tags starts a collection of this repository's tags.
func (r *Repo) tags(ctx context.Context) *Tags { return &Tags{cache: r.cache, ctx: ctx, own: r} }

// ReadPolicy describes a cached read whose results are V.
type ReadPolicy[V any] struct {
	Method string
	// Key is the key space: the method's name, or one shared by methods with equal results.
	Key string
	// Schema is the fingerprint of V's encoding: binaries that disagree share no entries.
	Schema string
	Level  Level
	// Staleness bounds how old the process' knowledge may be when a near value answers, at
	// levels bounded, session and leased: only if the store has proved within this time that
	// it has told of every change. Otherwise the read asks the store. At level leased writes
	// wait as long; it must be the same in all processes there, and at most a quarter of
	// Options.Lease. Default: 1 s, at level leased 100 ms.
	Staleness time.Duration
	// TTL is how long an entry lives at most; required.
	TTL time.Duration
	// Jitter shortens each TTL by a random part of up to this fraction, 0 to 1.
	Jitter float64
	// Negative is the TTL of "not there"; 0: absent results are not stored.
	Negative time.Duration
	// NotFound are the errors that say "not there". Only these very values (==) are
	// stored, so that a hit returns what the source returned; an error that wraps one is
	// passed on and not stored. The order is part of the stored form.
	NotFound []error
	// Absent recognises a result without error that says "not there"; nil: none does.
	Absent func(V) bool
	// MaxSize is the length up to which an entry is stored, and read back, in bytes: the
	// value's encoding together with the names of the tags it depends on, which take about
	// 100 bytes each. A larger value is returned and counted, and neither stored nor kept near.
	// 0: DefaultMaxSize.
	MaxSize int
	Codec   Codec[V]
}

// Codec stores and copies values. Its functions must be safe for concurrent use.
type Codec[V any] struct {
	// Append appends the encoding of v to b.
	Append func(b []byte, v V) ([]byte, error)
	// Decode rebuilds a value from all of b and keeps no reference to b.
	Decode func(b []byte) (V, error)
	// Clone makes a copy that shares nothing mutable; nil: V holds nothing mutable.
	Clone func(v V) V
	// Size estimates the memory of v in bytes; nil: the length of its encoding.
	Size func(v V) int
}

// WritePolicy describes a write.
type WritePolicy struct {
	Method string
	Level  Level
	// Staleness is how long a write at level leased waits at least between its marks and its
	// commit: the bound of the leased reads that depend on what it changes. Those of this
	// Cache count by themselves. Default: 100 ms.
	Staleness time.Duration
	OnError   OnError
}

// Reader performs one method's cached reads. It is safe for concurrent use.
type Reader[V any] struct {
	repo    *Repo
	policy  ReadPolicy[V]
	id      string // "books.ByID"
	stats   *counters
	bound   time.Duration // of near hits; 0: none
	mu      sync.Mutex
	flights map[string]*flight[V] // guarded by mu
	derived bool                  // of a store that was handed out: its reads show uncommitted rows
}

// Writer performs one method's writes. It is safe for concurrent use.
type Writer struct {
	repo    *Repo
	policy  WritePolicy
	stats   *counters
	derived bool  // of a store that was handed out
	unit    *Unit // to which that store is bound; nil: to none
}

// NewReader registers a read. It panics when the policy is not usable: generated code
// never passes such a policy.
func NewReader[V any](r *Repo, p ReadPolicy[V]) *Reader[V] {
	if p.Method == "" || p.Key == "" || p.TTL <= 0 || p.Jitter < 0 || p.Jitter > 1 || p.MaxSize < 0 || p.Codec.Append == nil || p.Codec.Decode == nil {
		panic(fmt.Sprintf("cachegen: policy of %s.%s needs a method, a key, a TTL, a jitter between 0 and 1, a size that is not negative and a codec", r.policy.Name, p.Method))
	}
	r.cache.lengthenCells(p.TTL)
	r.cache.builtOn(p.Level)
	return &Reader[V]{
		repo: r, policy: p,
		bound:   r.cache.bounds(r.policy.Name+"."+p.Method, p.Level, p.Staleness, true),
		id:      r.policy.Name + "." + p.Key,
		stats:   r.cache.method(r.policy.Name, p.Method),
		flights: map[string]*flight[V]{},
	}
}

// NewWriter registers a write. It panics when the policy is not usable, or when the write wants
// an outbox and there is none.
func NewWriter(r *Repo, p WritePolicy) *Writer {
	if p.OnError == OnErrorOutbox && r.cache.opt.Outbox == nil {
		panic(fmt.Sprintf("cachegen: %s.%s says onerror=outbox, and the Cache has none: set Outbox in cachert.Options (package outbox makes one)", r.policy.Name, p.Method))
	}
	r.cache.bounds(r.policy.Name+"."+p.Method, p.Level, p.Staleness, false)
	r.cache.builtOn(p.Level)
	return &Writer{repo: r, policy: p, stats: r.cache.method(r.policy.Name, p.Method)}
}

// In returns the reader for a store that the source handed out, inside a transaction or for
// one: it asks that store each time and stores nothing. It counts where r counts.
func (r *Reader[V]) In(*Unit) *Reader[V] {
	return &Reader[V]{repo: r.repo, policy: r.policy, id: r.id, stats: r.stats, derived: true}
}

// In returns the writer for a store that the source handed out. Its writes belong to u or,
// where that is nil or has ended, to the unit of work of the context they are called with.
// Without either the commit is not seen: see Change.Uncommitted. It counts where w counts.
func (w *Writer) In(u *Unit) *Writer {
	return &Writer{repo: w.repo, policy: w.policy, stats: w.stats, derived: true, unit: u}
}

func (r *Reader[V]) clone(v V) V {
	if r.policy.Codec.Clone == nil {
		return v
	}
	return r.policy.Codec.Clone(v)
}

// IsNil is the Absent of pointers.
func IsNil[T any](v *T) bool { return v == nil }

// IsZero is the Absent of comparable values.
func IsZero[T comparable](v T) bool {
	var zero T
	return v == zero
}
