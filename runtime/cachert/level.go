package cachert

import "context"

// Level is a consistency level. An object is one entry; ack(w) is the moment a write call
// returned nil. The levels are ordered: each keeps the promises of those below it. What makes
// them void is counted in Voids.
type Level uint8

// The levels.
const (
	// LevelDefault is the repository's level, and LevelSession where it has none.
	LevelDefault Level = iota
	// LevelEventual: a read returns a version that was current within the last TTL.
	LevelEventual
	// LevelBounded: a read that starts later than ack(w) and the bound of the reader
	// (ReadPolicy.Staleness) returns w or later. A process that crashes between commit and
	// invalidation voids this until the TTL.
	LevelBounded
	// LevelSession: as bounded, and within one process, or with a Session across processes, a
	// read that starts after ack(w) returns w or later, and a read that starts after another one
	// of its object has returned w does, too, unless that one was past the cache (Bypass, a
	// transaction). A crash of the writer is covered by its markers.
	LevelSession
	// LevelStrict: after ack(w), or after anybody has read w, nobody reads older. Every
	// read asks the store (one round trip).
	LevelStrict
	// LevelLeased: as strict, and near values may answer. Writes pay for it: they wait
	// between mark and commit until no process is answered near any more (Staleness). It
	// holds against writes at this level; against others it is session.
	LevelLeased
)

// String returns the directive's word for l.
func (l Level) String() string {
	return [...]string{"default", "eventual", "bounded", "session", "strict", "leased"}[min(l, LevelLeased)]
}

// marked reports whether writes at this level announce themselves before the commit.
func (l Level) marked() bool { return l >= LevelSession }

type (
	freshKey  struct{}
	bypassKey struct{}
	tenantKey struct{}
)

// Fresh returns a context under which reads are strict and writes are marked.
func Fresh(ctx context.Context) context.Context { return context.WithValue(ctx, freshKey{}, true) }

// Bypass returns a context under which reads go to the source. Writes still invalidate.
func Bypass(ctx context.Context) context.Context { return context.WithValue(ctx, bypassKey{}, true) }

// WithTenant returns a context whose reads and writes belong to tenant. Repositories with
// tenant=ctx keep entries and tags of different tenants apart.
func WithTenant(ctx context.Context, tenant string) context.Context {
	return context.WithValue(ctx, tenantKey{}, tenant)
}

// TenantFromContext returns the tenant given to WithTenant; the empty tenant counts as none.
func TenantFromContext(ctx context.Context) (string, bool) {
	tenant, _ := ctx.Value(tenantKey{}).(string)
	return tenant, tenant != ""
}

func bypassed(ctx context.Context) bool { return ctx.Value(bypassKey{}) != nil }

// effective is the level of one call.
func effective(ctx context.Context, l Level) Level {
	if ctx.Value(freshKey{}) != nil {
		return LevelStrict
	}
	if l == LevelDefault {
		return LevelSession
	}
	return l
}

// OnError says what a write does when the store cannot be told beforehand.
type OnError uint8

// The choices.
const (
	// OnErrorDefault is OnErrorFail for strict and leased writes, OnErrorProceed for all others.
	OnErrorDefault OnError = iota
	// OnErrorProceed writes to the source; the invalidation is kept in memory, retried
	// until delivered, and delivered before this process trusts the store again. It is
	// lost when the process dies before that.
	OnErrorProceed
	// OnErrorFail refuses the write before the source is touched: ErrRefused.
	OnErrorFail
	// OnErrorOutbox proceeds, and keeps the invalidation in the database: a row of
	// Options.Outbox, written in the transaction of the write, or before it where the write
	// commits by itself, and deleted when the invalidation was delivered. Whatever the store
	// does and whenever the process dies, some relay delivers it. The write is refused only
	// when the row cannot be written.
	OnErrorOutbox
)
