package writeerror

import (
	"context"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	books memdb.Table[int64, Book]
	last  int64
	// After is what writes return after they have committed.
	After error
}

func clone(b Book) *Book {
	b.Labels = slices.Clone(b.Labels)
	return &b
}

func (m *Memory) ByID(_ context.Context, id int64) (*Book, error) {
	m.Called("ByID")
	if book, ok := m.books.Get(id); ok {
		return clone(book), nil
	}
	return nil, ErrNotFound
}

func (m *Memory) ByISBN(_ context.Context, isbn string) (*Book, error) {
	m.Called("ByISBN")
	for _, book := range m.books.Select(func(b Book) bool { return b.ISBN == isbn }) {
		return clone(book), nil
	}
	return nil, ErrNotFound
}

func (m *Memory) Insert(_ context.Context, b *Book) error {
	if b.ID == 0 {
		m.last++
		b.ID = m.last
	}
	b.Version++
	b.ISBN = strings.ReplaceAll(b.ISBN, "-", "")
	m.books.Put(b.ID, *clone(*b))
	return m.After
}

func (m *Memory) Save(ctx context.Context, b *Book) error { return m.Insert(ctx, b) }

func (m *Memory) Rename(_ context.Context, id int64, title string) (*Book, error) {
	if !m.books.Change(id, func(b *Book) { b.Title = title; b.Version++ }) {
		return nil, ErrNotFound
	}
	book, _ := m.books.Get(id)
	return clone(book), m.After
}
