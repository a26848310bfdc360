// Package structs pins tier 3: structs, pointers to them and bytes as parameters: filters,
// and keys inside structs. A key is made of all fields when the call begins; nil and zero
// are different; what the caller does to his filter afterwards does not matter.
package structs

import (
	"context"
	"time"
)

//go:generate go tool cachegen

// OrderKey is a composite primary key.
type OrderKey struct {
	Shop   string
	Number int64
}

// Order is a row.
type Order struct {
	Key    OrderKey
	Status string
	Digest [4]byte
	Placed time.Time
}

// Filter selects orders; a nil field does not restrict.
type Filter struct {
	Shop     *string
	Statuses []string
	Labels   map[string]bool
	Window   struct{ From, Until time.Time }
	Page     *Page
}

// Page is a part of a list.
type Page struct{ Offset, Limit int }

// OrderRepo stores orders.
//
//cachegen:repo name=structs ttl=10m
type OrderRepo interface {
	// Get returns an order, nil when there is none.
	//
	//cachegen:read tag=order:{key.Shop}:{key.Number} negative=1m
	Get(ctx context.Context, key OrderKey) (*Order, error)

	// Find returns the orders that match.
	//
	//cachegen:read tag=orders tag=order:{row.Key.Shop}:{row.Key.Number}
	Find(ctx context.Context, filter Filter) ([]Order, error)

	// FindAt is Find with a filter that may be nil.
	//
	//cachegen:read tag=orders
	FindAt(ctx context.Context, filter *Filter) ([]Order, error)

	// ByDigest returns the status of the order with a digest and a signature.
	//
	//cachegen:read tag=digest:{digest}
	ByDigest(ctx context.Context, digest [4]byte, signature []byte) (string, error)

	// Save stores an order, new or not.
	//
	//cachegen:write drop=order:{o.Key.Shop}:{o.Key.Number} drop=digest:{o.Digest} drop=orders
	Save(ctx context.Context, o *Order) error
}
