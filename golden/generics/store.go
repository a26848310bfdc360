// Package generics pins generic code: a generic store embedded with its type arguments, whose
// directives hold for each instance; results and parameters of generic types.
package generics

import "context"

//go:generate go tool cachegen

// Store is what every table can do. The directives count where it is embedded.
type Store[K comparable, V any] interface {
	// Get returns a row; false when there is none.
	//
	//cachegen:read tag=row:{id} negative=1m
	Get(ctx context.Context, id K) (V, bool, error)

	// List returns a page of rows in the order of their keys.
	//
	//cachegen:read tag=all
	List(ctx context.Context, after Option[K], limit int) (Page[K, V], error)

	// Put stores a row, new or not.
	//
	//cachegen:write drop=row:{id} drop=all
	Put(ctx context.Context, id K, row V) error
}

// Option is a value or nothing.
type Option[T any] struct {
	Value T
	OK    bool
}

// Page is a part of a list.
type Page[K comparable, V any] struct {
	Items []V
	Next  *K
	Index map[K]int
}

// Book is a row.
type Book struct {
	Title  string
	Labels []string
}

// ISBN is a key.
type ISBN string

// BookStore has integers as keys and pointers as rows, and a method of its own.
//
//cachegen:repo name=shelf ttl=10m
type BookStore interface {
	Store[int64, *Book]

	// Titles is List without the rest.
	//
	//cachegen:read tag=all
	Titles(ctx context.Context, limit Option[int]) (Page[int64, string], error)
}

// StockStore has strings as keys and numbers as rows.
//
//cachegen:repo name=stock ttl=10m
type StockStore interface {
	Store[ISBN, int]
}
