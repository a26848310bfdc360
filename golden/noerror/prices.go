// Package noerror pins tier 6: values without an error, and checks that return nothing but
// an error. Where there is no error to return, a cache failure goes to the source unseen.
package noerror

import "context"

//go:generate go tool cachegen

// Price is a row.
type Price struct {
	SKU   string
	Cents int64
	Tiers []int64
}

// Prices knows what things cost.
//
//cachegen:repo name=prices ttl=10m
type Prices interface {
	// Cents returns a price, 0 when there is none.
	//
	//cachegen:read tag=price:{sku}
	Cents(ctx context.Context, sku string) int64

	// Lookup returns a price; false when there is none, which is remembered.
	//
	//cachegen:read tag=price:{sku} negative=1m
	Lookup(ctx context.Context, sku string) (Price, bool)

	// Get returns a price, nil when there is none, which is not remembered.
	//
	//cachegen:read tag=price:{sku}
	Get(sku string) *Price

	// SKUs lists what has a price.
	//
	//cachegen:read tag=all
	SKUs() []string

	// Check returns nil, ErrUnknown (which is remembered) or another error (which is not).
	//
	//cachegen:read tag=price:{sku} negative=1m notfound=ErrUnknown
	Check(ctx context.Context, sku string) error

	// Set stores a price.
	//
	//cachegen:write drop=price:{p.SKU} drop=all
	Set(ctx context.Context, p Price)

	// Raise changes a price and returns it.
	//
	//cachegen:write drop=price:{sku}
	Raise(sku string, cents int64) int64
}
