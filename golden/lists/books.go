// Package lists pins tier 4: slices, variadics and maps as parameters, and lists and maps as
// results, with tags for each row. Keys keep length, order and nil apart; a list ends when
// one of its rows changes and when a row it lacked comes into being.
package lists

import "context"

//go:generate go tool cachegen

// Book is a row; what it points to makes each copy a deep one.
type Book struct {
	ID     int64
	ISBN   string
	Title  string
	Labels []string
}

// BookRepo stores books.
//
//cachegen:repo name=lists ttl=10m
type BookRepo interface {
	// ByIDs returns the books that exist, in the order of ids. An id that is missing today
	// may exist tomorrow: created covers it.
	//
	//cachegen:read tag=created tag=book:{row.ID}
	ByIDs(ctx context.Context, ids []int64) ([]*Book, error)

	// ByISBN returns the books that exist, by ISBN.
	//
	//cachegen:read tag=created tag=book:{row.ID}
	ByISBN(ctx context.Context, isbns ...string) (map[string]Book, error)

	// Labelled returns the titles of the books with all these labels; a label with false is
	// one that a book must not have.
	//
	//cachegen:read tag=books
	Labelled(ctx context.Context, labels map[string]bool, not ...[]string) ([]string, error)

	// CountAll counts the books of several lists.
	//
	//cachegen:read tag=created
	CountAll(ctx context.Context, lists [][]int64) (map[int]int, error)

	// Create adds books.
	//
	//cachegen:write drop=created drop=books
	Create(ctx context.Context, books ...Book) error

	// Rename changes a title.
	//
	//cachegen:write drop=book:{id} drop=books
	Rename(ctx context.Context, id int64, title string) error

	// SaveAll stores several books and returns them as they are now.
	//
	//cachegen:write drop=book:{row.ID} drop=books
	SaveAll(ctx context.Context, books []Book) ([]*Book, error)
}
