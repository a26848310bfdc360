// Package several pins tier 5: two or more values and an error. They are stored together, so
// that a hit returns all of them; the tags of rows come from the first one.
package several

import (
	"context"
	"time"
)

//go:generate go tool cachegen

// Book is a row.
type Book struct {
	ID, AuthorID int64
	Title        string
	Added        time.Time
}

// BookRepo stores books.
//
//cachegen:repo name=several ttl=10m
type BookRepo interface {
	// List returns a page of an author's books and how many there are in all.
	//
	//cachegen:read tag=author:{author} tag=book:{row.ID}
	List(ctx context.Context, author int64, limit int) ([]Book, int, error)

	// Page returns the books behind one and whether there are more: false is no "not there".
	//
	//cachegen:read tag=author:{author} tag=all
	Page(ctx context.Context, author, after int64) (page []Book, more bool, err error)

	// Find returns a book; false when there is none, which is not remembered here.
	//
	//cachegen:read tag=book:{id}
	Find(ctx context.Context, id int64) (Book, bool, error)

	// Neighbours returns the books before and after one; either may be nil.
	//
	//cachegen:read tag=author:{ret.AuthorID} tag=all
	Neighbours(ctx context.Context, id int64) (prev, next *Book, err error)

	// Span has four results, named after what a wrapper might call its own.
	//
	//cachegen:read tag=all
	Span(ctx context.Context) (ret, c time.Time, ok map[int64]bool, t string, err error)

	// Add stores a book, and returns it and how many the author has now.
	//
	//cachegen:write drop=book:{b.ID} drop=author:{b.AuthorID} drop=all
	Add(ctx context.Context, b Book) (Book, int, error)
}
