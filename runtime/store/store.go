package store

import (
	"context"
	"errors"
	"time"
)

// ErrDown reports that the store could not be reached, or not within the deadline, or is
// not to be trusted yet after a reconnection. Implementations wrap it with %w for every
// such failure. After a mutation failed with ErrDown its outcome is unknown: it may have
// been applied, or may be applied later; the protocol stands that.
var ErrDown = errors.New("cachegen: store is down")

// MaxLease is the longest lease that a marker can have. A store may take what stands longer
// for something else.
const MaxLease = 12 * time.Hour

// Generation names one period during which nothing that a tag covers has changed. It is
// compared for equality only and never repeats. The zero value means "none".
type Generation string

// Cell is what a read saw in one tag cell.
type Cell struct {
	// Generation is what the cell holds; "" when Marked.
	Generation Generation
	// Marked reports that at least one write is in progress: read the source, fill nothing.
	Marked bool
	// Live is the promise for Generation, or nil when the store cannot give one (a fresh
	// read, tracking unavailable, the generation was only just made).
	Live *Live
}

// ReadRequest asks for an entry and for cells in one round trip.
type ReadRequest struct {
	// Entry is the key of the entry; "" reads cells only.
	Entry string
	// MaxEntry is the length up to which an entry is read, in bytes; 0: any. A longer one is
	// foreign, and never held in memory whole.
	MaxEntry int
	// Cells are the keys of the cells, without duplicates.
	Cells []string
	// Near asks for Live promises, and allows cells to be answered from process-local state
	// that the store keeps in step by pushes: once it is certain that no push for a change
	// made before the call is still on its way. Either way no cell is older than the call.
	// Without Near each cell is read from the store's primary and no promise is given.
	Near bool
	// Lagging gives that certainty up: with Near, a cell known in the process is answered
	// as it is known, without a round trip.
	Lagging bool
	// Fresh makes the generation for an absent cell. It is called once per attempt.
	Fresh func() Generation
	// CellTTL is how long a cell made by this request lives. Whole milliseconds, > 0.
	CellTTL time.Duration
}

// ReadReply answers a ReadRequest.
type ReadReply struct {
	// Entry holds the bytes of the entry, nil when there is none. The caller must not
	// modify them.
	Entry []byte
	// Cells stand in the order of the request. After a successful read each is Marked or
	// has a generation.
	Cells []Cell
	// Foreign counts the keys of the request under which something stood that no store of
	// this kind writes: of another type, or longer than it may be. Such an entry is nil, and
	// such a cell was absent: it has been replaced.
	Foreign int
}

// Entry is a value to be stored. Storing is unconditional: whether the entry counts is
// decided by the generations inside it.
type Entry struct {
	Key   string
	Value []byte
	TTL   time.Duration // > 0
}

// FillRequest stores an entry after a load.
type FillRequest struct {
	Entry Entry
	// Renew lists cells whose lifetime should be extended to CellTTL when less than half
	// of it is left.
	Renew   []string
	CellTTL time.Duration
}

// MarkRequest announces a write: in each cell it adds a marker and destroys the generation.
type MarkRequest struct {
	// Token identifies the write; unique, letters and digits only. Marking a cell again
	// under the same token extends the lease and nothing else.
	Token string
	Cells []string
	// Lease is how long the markers stand unless Post removes them, by the store's clock: at
	// most MaxLease.
	Lease time.Duration
	// Observe lists further cells to read in the same round trip, as Read would (never
	// from process-local state; absent ones are made with Fresh).
	Observe []string
	Fresh   func() Generation
	CellTTL time.Duration
}

// PostCell ends our mark on a cell.
type PostCell struct {
	Key string
	// Fresh is the generation the cell takes when this write was alone from mark to post.
	Fresh Generation
}

// BumpCell gives a cell that this write has not marked a new generation.
type BumpCell struct {
	Key string
	// Known is the generation seen before the write; "" when none was.
	Known Generation
	// Absent accepts an absent cell like a known one (a tag that came into being with this
	// write, such as the id of a created row).
	Absent bool
	Fresh  Generation
}

// PostRequest ends a write: all in one round trip, entries together with the generations
// they were stored under.
type PostRequest struct {
	Token string
	Cells []PostCell
	Bumps []BumpCell
	// Entries are stored unconditionally.
	Entries []Entry
	CellTTL time.Duration
}

// Outcome is what became of one cell in Post.
type Outcome uint8

// The outcomes. Only under Taken does the cell hold the Fresh generation of the request;
// under Replaced and Lost it holds another one, made by the store, so that an entry stored
// under Fresh is invalid.
const (
	// Taken: the write was alone; the cell holds Fresh.
	Taken Outcome = iota + 1
	// Replaced: other writes overlapped or the known generation had gone; the cell holds
	// a new generation.
	Replaced
	// Pending: markers of other writes stand; the cell has no generation.
	Pending
	// Lost: our marker was gone before its post (its lease ran out, the cell was evicted).
	// The cell was repaired: it has another new generation or, where markers of other
	// writes stand, those may no longer write through. A broken assumption: count it.
	Lost
)

// PostReply holds outcomes in the order Cells, then Bumps.
type PostReply struct{ Outcomes []Outcome }

// Store keeps entries and cells. All methods are safe for concurrent use, honour the
// deadline of ctx even when the store hangs, and return an error that wraps ErrDown when
// the store could not be reached in time. None of them retries.
type Store interface {
	// Read returns an entry and cells. Absent cells are given a generation before Read
	// returns (set if absent, so that concurrent readers agree on one).
	Read(ctx context.Context, r ReadRequest) (ReadReply, error)
	// Fill stores an entry.
	Fill(ctx context.Context, r FillRequest) error
	// Mark adds markers; Observe's cells are returned in order. On error some cells may
	// have been marked. An error that does not wrap ErrDown says that the store serves, and
	// that the markers may still be lost.
	Mark(ctx context.Context, r MarkRequest) ([]Cell, error)
	// Post removes markers, bumps cells and stores entries. When it returns without an
	// error, no Live promise of this process for a changed generation is alive: the caller
	// reads its own write.
	Post(ctx context.Context, r PostRequest) (PostReply, error)
	// Prove asks that the Proof of every promise be kept younger than within for as long as all
	// is well; 0 asks for nothing. Of several calls the least counts. A proof may be older at any
	// time, when a server hangs or the machine is busy: whoever relies on it looks. Lags reports
	// whether a promise, in whatever process, may outlive the operation that ends it, until its
	// proof is too old; false when every promise ends before that operation returns.
	Prove(within time.Duration) (lags bool)
	// Probe checks that the store is reachable and may be trusted; it connects when there
	// is no connection. Changed reports that the server behind the connection is not the
	// one seen before (restart, failover): what it holds may be older than what was read.
	Probe(ctx context.Context) (changed bool, err error)
	// OnDown registers f, called (on any goroutine, must not block) when the connection is
	// lost. At most one f; register before use.
	OnDown(f func(error))
	// Findings says what is degraded and why, as found by the last successful Probe.
	Findings() []Finding
	// Close releases connections. Later calls return an error that wraps ErrDown.
	Close() error
}

// Identified is a Store whose server may be replaced by an older copy of itself: a replica
// that takes over, a restart from a snapshot.
type Identified interface {
	// Identity names the servers found by the last successful Probe. It is another one after
	// each such replacement, and the same for all processes that use the same servers.
	Identity() string
}

// Finding is one thing about the server that the operator should know.
type Finding struct {
	// Code is stable: "tracking", "resp3", "eviction", "version", "replicas", "cluster".
	Code string
	// Unsafe reports that the marker of a write in progress can be lost: what builds on
	// markers alone, the strict level, cannot be promised.
	Unsafe bool
	// Degraded reports that some guarantee or speed is lost, in contrast to mere advice.
	Degraded bool
	// Text says what was found, what it means and the cure.
	Text string
}
