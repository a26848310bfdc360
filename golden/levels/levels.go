// Package levels pins the consistency levels, for a repository and for single methods, and
// what a write does when the store is down. In one process every level but eventual sees its
// own writes; what else they promise is the runtime's subject.
package levels

import (
	"context"
	"time"
)

//go:generate go tool cachegen

// Rate is a row that changes all the time.
type Rate struct {
	Pair string
	Bid  float64
	At   time.Time
}

// RateRepo stores exchange rates: a minute old is good enough, whatever was written.
//
//cachegen:repo name=rates ttl=1m jitter=0.5 level=eventual
type RateRepo interface {
	// Latest returns a rate. Nothing drops it: it lives until its TTL.
	//
	//cachegen:read
	Latest(ctx context.Context, pair string) (Rate, error)

	// History lists rates.
	//
	//cachegen:read level=bounded ttl=1h jitter=0% tag=history:{pair}
	History(ctx context.Context, pair string) ([]Rate, error)

	// Quote stores a rate. It is never refused.
	//
	//cachegen:write drop=history:{r.Pair} onerror=proceed
	Quote(ctx context.Context, r Rate) error
}

// BalanceRepo stores money: strict, unless a method says otherwise.
//
//cachegen:repo name=balances ttl=30s level=strict
type BalanceRepo interface {
	// Balance asks the store at each call.
	//
	//cachegen:read tag=account:{id}
	Balance(ctx context.Context, id int64) (int64, error)

	// Preview may be what this process has seen.
	//
	//cachegen:read level=session tag=account:{id}
	Preview(ctx context.Context, id int64) (int64, error)

	// Pay is refused when the store cannot be told beforehand.
	//
	//cachegen:write drop=account:{id}
	Pay(ctx context.Context, id, cents int64) error

	// Refund is as urgent as strict reads allow, and done even if the store is down.
	//
	//cachegen:write drop=account:{id} onerror=proceed
	Refund(ctx context.Context, id, cents int64) error

	// Freeze is session, but refused when the store is down.
	//
	//cachegen:write level=session onerror=fail drop=account:{id}
	Freeze(ctx context.Context, id int64) error
}
