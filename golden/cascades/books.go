package cascades

import "context"

// Book is a row; AuthorName and Sold are not columns of its table.
type Book struct {
	ID, AuthorID int64
	AuthorName   string
	Sold         int
}

// BookRepo stores books.
//
//cachegen:repo name=books ttl=10m negative=1m
type BookRepo interface {
	// ByID returns a book joined with its author, nil when there is none.
	//
	//cachegen:read tag=book:{id} tag=authors/author:{ret.AuthorID}
	ByID(ctx context.Context, id int64) (*Book, error)

	// Count counts all books.
	//
	//cachegen:read tag=count
	Count(ctx context.Context) (int, error)

	// Save stores a book, new or not.
	//
	//cachegen:write drop=book:{b.ID} drop=count
	Save(ctx context.Context, b Book) error
}

// OrderRepo stores orders.
//
//cachegen:repo name=orders ttl=10m
type OrderRepo interface {
	// Total returns how many copies a customer has ordered.
	//
	//cachegen:read tag=customer:{customer}
	Total(ctx context.Context, customer int64) (int, error)

	// Place orders copies of a book; a trigger adds them to the book's Sold.
	//
	//cachegen:write drop=customer:{customer} drop=books/book:{book}
	Place(ctx context.Context, customer, book int64, copies int) error
}
