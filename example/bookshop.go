package bookshop

import (
	"context"
	"errors"
)

// ErrNotFound reports that there is no such row. Repositories return it unwrapped, so that
// the cache can remember "not there" and give back this very value.
var ErrNotFound = errors.New("bookshop: not found")

// ErrOutOfStock reports that an order asks for more copies than there are.
var ErrOutOfStock = errors.New("bookshop: out of stock")

// Repos are the repositories the application works with.
type Repos struct {
	Books    BookRepo
	Authors  AuthorRepo
	Orders   OrderRepo
	Sessions SessionRepo
	// Atomically runs body in a transaction: all that the repositories write with its context
	// is committed together, or rolled back when it returns an error.
	Atomically func(ctx context.Context, body func(context.Context) error) error
}

// Page is a part of a list. It is a struct on purpose: all of it becomes part of the key.
type Page struct {
	Offset int
	Limit  int
}

type customerKey struct{}

// WithCustomer returns a context that acts for a customer.
func WithCustomer(ctx context.Context, id int64) context.Context {
	return context.WithValue(ctx, customerKey{}, id)
}

// Customer returns the customer the context acts for; false when nobody is logged in.
func Customer(ctx context.Context) (int64, bool) {
	id, ok := ctx.Value(customerKey{}).(int64)
	return id, ok
}
