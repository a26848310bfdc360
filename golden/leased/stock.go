// Package leased pins near hits with a bound that is checked, and the level at which writes wait
// for them: what a process answers without asking anybody is never older than a write that was
// acknowledged in another one.
package leased

import "context"

//go:generate go tool cachegen

// StockRepo counts what is in stock.
//
//cachegen:repo name=shelves ttl=10m level=leased staleness=50ms
type StockRepo interface {
	// Left is asked for all the time, and must not be wrong.
	//
	//cachegen:read tag=item:{item}
	Left(ctx context.Context, item string) (int64, error)

	// Preview may be a little old.
	//
	//cachegen:read tag=item:{item} level=bounded staleness=2s
	Preview(ctx context.Context, item string) (int64, error)

	// Audit asks the store at each call: there are no near hits to bound.
	//
	//cachegen:read tag=item:{item} level=strict
	Audit(ctx context.Context, item string) (int64, error)

	// Take waits until nobody is answered with what is old, then takes.
	//
	//cachegen:write drop=item:{item}
	Take(ctx context.Context, item string, n int64) error

	// Receive waits longer than it would have to.
	//
	//cachegen:write drop=item:{item} staleness=60ms
	Receive(ctx context.Context, item string, n int64) error
}
