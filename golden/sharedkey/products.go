// Package sharedkey pins keys that a directive names: two methods with equal results share
// one key space, and a parameter that does not change the answer is left out knowingly.
package sharedkey

import "context"

//go:generate go tool cachegen

// ProductID is a key.
type ProductID int64

// Product is a row.
type Product struct {
	ID    ProductID
	Title string
}

// Ref names a product, and where it was seen. Nil names the featured one.
type Ref struct {
	ID   ProductID
	From string
}

// ProductRepo stores products.
//
//cachegen:repo name=products ttl=10m
type ProductRepo interface {
	// Get returns a product.
	//
	//cachegen:read key=product tag=product:{id}
	Get(ctx context.Context, id ProductID) (Product, error)

	// Resolve is Get for a reference: what one stores the other finds. The key without a
	// reference is one that no product has.
	//
	//cachegen:read key=product:{ref.ID} ignore=ref tag=product:{ref.ID}
	Resolve(ctx context.Context, ref *Ref) (Product, error)

	// Titled is Get under a name that has nothing to do with the key of the others.
	//
	//cachegen:read tag=product:{id} ignore=traceID ignore=verbose
	Titled(ctx context.Context, traceID string, id ProductID, verbose bool) (Product, error)

	// Save stores a product, and replaces the entry of Get and Resolve.
	//
	//cachegen:write put=Get(p.ID) value=arg
	Save(ctx context.Context, p Product) error
}
