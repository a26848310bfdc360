// Package writeerror pins writes that do more than they say: they return an error although
// the change was committed, fill in their argument (ID, version), or normalise it. A write
// that failed still ends what it may have changed; keys are made before the call and after
// it; nothing of the argument is kept.
package writeerror

import (
	"context"
	"errors"
)

//go:generate go tool cachegen

// Errors of writes.
var (
	ErrNotFound = errors.New("no such book")
	ErrNotify   = errors.New("saved, but the subscribers were not told")
)

// Book is a row. ID and Version are filled in by the database.
type Book struct {
	ID      int64
	ISBN    string
	Title   string
	Labels  []string
	Version int
}

// BookRepo stores books.
//
//cachegen:repo name=writeerror ttl=10m negative=1m notfound=ErrNotFound
type BookRepo interface {
	// ByID returns a book, or ErrNotFound.
	//
	//cachegen:read tag=book:{id}
	ByID(ctx context.Context, id int64) (*Book, error)

	// ByISBN returns a book, or ErrNotFound.
	//
	//cachegen:read tag=isbn:{isbn}
	ByISBN(ctx context.Context, isbn string) (*Book, error)

	// Insert stores a new book and fills in what the database knows: ID, version, the ISBN
	// without hyphens. It returns ErrNotify after the commit when nobody listens.
	//
	//cachegen:write drop=book:{b.ID} drop=isbn:{b.ISBN}
	Insert(ctx context.Context, b *Book) error

	// Save is Insert and stores the argument as it is when it returns.
	//
	//cachegen:write put=ByID(b.ID) value=arg drop=isbn:{b.ISBN}
	Save(ctx context.Context, b *Book) error

	// Rename changes a title, and returns the book even if it returns ErrNotify.
	//
	//cachegen:write put=ByID(id) drop=book:{id} drop=isbn:{ret.ISBN}
	Rename(ctx context.Context, id int64, title string) (*Book, error)
}
