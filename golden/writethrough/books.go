// Package writethrough pins what writes store: the row they return, their argument, or the
// row read again after the commit; as pointers and as values. It pins old=, too, for what
// only the row before the write can tell.
package writethrough

import (
	"context"
	"errors"
)

//go:generate go tool cachegen

// ErrNotFound says that there is no such book.
var ErrNotFound = errors.New("no such book")

// Book is a row.
type Book struct {
	ID, Author int64
	ISBN       string
	Title      string
	Labels     []string
	Version    int
}

// BookRepo stores books.
//
//cachegen:repo name=writethrough ttl=10m negative=1m notfound=ErrNotFound
type BookRepo interface {
	// ByID returns a book, or ErrNotFound.
	//
	//cachegen:read tag=book:{id}
	ByID(ctx context.Context, id int64) (*Book, error)

	// Value is ByID with a value, stored on its own.
	//
	//cachegen:read tag=book:{id}
	Value(ctx context.Context, id int64) (Book, error)

	// ByISBN returns a book, or ErrNotFound.
	//
	//cachegen:read tag=isbn:{isbn}
	ByISBN(ctx context.Context, isbn string) (*Book, error)

	// ByAuthor lists an author's books.
	//
	//cachegen:read tag=author:{author} tag=book:{row.ID}
	ByAuthor(ctx context.Context, author int64) ([]Book, error)

	// Create adds a book and returns it with its ID: stored under a key known only then.
	//
	//cachegen:write put=ByID(ret.ID) drop=author:{b.Author} drop=isbn:{b.ISBN}
	Create(ctx context.Context, b Book) (*Book, error)

	// Rename returns the row: a pointer for one read, a value for the other.
	//
	//cachegen:write put=ByID(id) put=Value(id) drop=book:{id} old=ByID(id) drop=isbn:{old.ISBN}
	Rename(ctx context.Context, id int64, title string) (*Book, error)

	// Replace stores its argument as it is, version and all: value=arg is for such writes.
	// It is a value, for a read that returns a pointer.
	//
	//cachegen:write put=ByID(b.ID) value=arg drop=book:{b.ID} old=ByID(b.ID) drop=isbn:{old.ISBN} drop=isbn:{b.ISBN} drop=author:{old.Author} drop=author:{b.Author}
	Replace(ctx context.Context, b Book) error

	// Relabel returns nothing: the row is read again, for both reads.
	//
	//cachegen:write put=ByID(id) put=Value(id) value=reload drop=book:{id} old=Value(id) drop=isbn:{old.ISBN}
	Relabel(ctx context.Context, id int64, labels ...string) error

	// Delete removes a book. Which lists it stood in only the old row tells.
	//
	//cachegen:write old=ByID(id) drop=book:{id} drop=author:{old.Author} drop=isbn:{old.ISBN}
	Delete(ctx context.Context, id int64) error
}
