// Package shop has two repositories in one file: books for all, and a shelf for each tenant.
package shop

import (
	"context"
	"errors"

	"github.com/cachegen/cachegen/runtime/cachert"
)

var ErrNotFound = errors.New("shop: not found")

type Book struct {
	ID    int64
	Title string
}

type Repo interface {
	ByID(ctx context.Context, id int64) (*Book, error)
	Rename(ctx context.Context, id int64, title string) (Book, error)
}

// Shelf holds one tenant's books.
type Shelf interface {
	// First is the book put there first, nil on an empty shelf.
	First(ctx context.Context) (*Book, error)
	Has(ctx context.Context, id int64) (ret Book, ok bool, err error)
	Put(ctx context.Context, id int64) error
	// Burn destroys the tenant's first book, for all tenants.
	Burn(ctx context.Context) error
	Close(ctx context.Context) error
}

// Memory is the source of both. Its methods answer with fresh copies.
type Memory struct {
	Books   map[int64]Book
	Shelves map[string][]int64
	Calls   int
}

func (m *Memory) ByID(_ context.Context, id int64) (*Book, error) {
	m.Calls++
	if b, ok := m.Books[id]; ok {
		return &b, nil
	}
	return nil, ErrNotFound
}

func (m *Memory) Rename(_ context.Context, id int64, title string) (Book, error) {
	m.Calls++
	m.Books[id] = Book{id, title}
	return m.Books[id], nil
}

func (m *Memory) shelf(ctx context.Context) string {
	m.Calls++
	tenant, _ := cachert.TenantFromContext(ctx)
	return tenant
}

func (m *Memory) First(ctx context.Context) (*Book, error) {
	for _, id := range m.Shelves[m.shelf(ctx)] {
		if b, ok := m.Books[id]; ok {
			return &b, nil
		}
	}
	return nil, nil
}

func (m *Memory) Has(ctx context.Context, id int64) (Book, bool, error) {
	for _, have := range m.Shelves[m.shelf(ctx)] {
		if have == id {
			return m.Books[id], true, nil
		}
	}
	return Book{}, false, nil
}

func (m *Memory) Put(ctx context.Context, id int64) error {
	shelf := m.shelf(ctx)
	m.Shelves[shelf] = append(m.Shelves[shelf], id)
	return nil
}

func (m *Memory) Burn(ctx context.Context) error {
	shelf := m.shelf(ctx)
	if ids := m.Shelves[shelf]; len(ids) > 0 {
		delete(m.Books, ids[0])
	}
	return nil
}

func (m *Memory) Close(context.Context) error {
	m.Calls++
	clear(m.Books)
	clear(m.Shelves)
	return nil
}
