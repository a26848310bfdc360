package bookshop

import (
	"context"
	"time"
)

// Status is how far an order has come.
type Status string

// The states of an order.
const (
	StatusPlaced    Status = "placed"
	StatusShipped   Status = "shipped"
	StatusCancelled Status = "cancelled"
)

// Order is a customer's order of one title.
type Order struct {
	ID         int64     `db:"id" json:"id"`
	CustomerID int64     `db:"customer_id" json:"customer_id"`
	BookID     int64     `db:"book_id" json:"book_id"`
	Copies     int       `db:"copies" json:"copies"`
	Status     Status    `db:"status" json:"status"`
	PlacedAt   time.Time `db:"placed_at" json:"placed_at"`
}

// OrderRepo stores orders. What has been paid for must never look undone, whichever process
// answers: level=strict asks the shared store on each read, and half a minute is enough.
//
//cachegen:repo name=orders ttl=30s level=strict notfound=ErrNotFound
type OrderRepo interface {
	// ByID returns one order, or ErrNotFound.
	//
	//cachegen:read tag=order:{id}
	ByID(ctx context.Context, id int64) (*Order, error)

	// Status returns the state of an order. With latest it comes from the database: the
	// parcel desk asks so before it ships.
	//
	//cachegen:read tag=order:{id} ignore=latest bypass=latest:==true
	Status(ctx context.Context, id int64, latest bool) (Status, error)

	// Mine returns a page of the orders of the customer the context acts for, newest first.
	// The answer depends on who asks, so ctx= makes the customer a part of the key; without
	// a customer the call goes past the cache. A new order shows in its customer's list
	// through the tag that Place drops.
	//
	//cachegen:read ctx=Customer tag=customer:{ctx.Customer} tag=order:{row.ID}
	Mine(ctx context.Context, page Page) ([]Order, error)

	// Place orders copies of a book and takes them out of stock, or returns ErrOutOfStock.
	// The stock is a column of the books: a tag may belong to another repository.
	//
	//cachegen:write put=ByID(ret.ID) drop=customer:{o.CustomerID} drop=books/book:{o.BookID}
	Place(ctx context.Context, o Order) (*Order, error)

	// Ship marks an order as shipped and returns it, or ErrNotFound when there is nothing to ship.
	//
	//cachegen:write put=ByID(id) drop=order:{id}
	Ship(ctx context.Context, id int64) (*Order, error)

	// Cancel takes an order back and its copies into stock. Whose list and which book that
	// changes is written in the order: old= reads it first.
	//
	//cachegen:write put=ByID(id) old=ByID(id) drop=order:{id} drop=books/book:{old.BookID}
	Cancel(ctx context.Context, id int64) (*Order, error)
}
