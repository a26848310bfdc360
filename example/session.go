package bookshop

import (
	"context"
	"time"
)

// Session says who is behind a token, until it expires.
type Session struct {
	Token      string    `db:"token" json:"token"`
	CustomerID int64     `db:"customer_id" json:"customer_id"`
	ExpiresAt  time.Time `db:"expires_at" json:"expires_at"`
}

// Expired reports whether the session has ended at the given time. The caller asks, not the
// query: an answer that depends on the clock would go stale in the cache by itself.
func (s Session) Expired(now time.Time) bool { return !now.Before(s.ExpiresAt) }

// SessionRepo stores sessions. Every request reads one: five minutes. Unknown tokens are
// remembered for a short while, so that guessing costs the database nothing.
//
//cachegen:repo name=sessions ttl=5m negative=10s
type SessionRepo interface {
	// Get returns the session of a token; false when there is none.
	//
	//cachegen:read tag=session:{token}
	Get(ctx context.Context, token string) (Session, bool, error)

	// Save stores a session, new or not.
	//
	//cachegen:write drop=session:{s.Token}
	Save(ctx context.Context, s Session) error

	// End removes a session.
	//
	//cachegen:write drop=session:{token}
	End(ctx context.Context, token string) error

	// Sweep removes the sessions that expired before the given time and returns how many.
	// Which ones is not known, so all cached sessions are dropped.
	//
	//cachegen:write drop=*
	Sweep(ctx context.Context, before time.Time) (int64, error)
}
