package writethrough

import (
	"context"
	"slices"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	books memdb.Table[int64, Book]
	last  int64
}

func clone(b Book) Book {
	b.Labels = slices.Clone(b.Labels)
	return b
}

func (m *Memory) row(id int64) (Book, error) {
	book, ok := m.books.Get(id)
	if !ok {
		return Book{}, ErrNotFound
	}
	return clone(book), nil
}

func (m *Memory) ByID(_ context.Context, id int64) (*Book, error) {
	m.Called("ByID")
	book, err := m.row(id)
	if err != nil {
		return nil, err
	}
	return &book, nil
}

func (m *Memory) Value(_ context.Context, id int64) (Book, error) {
	m.Called("Value")
	return m.row(id)
}

func (m *Memory) ByISBN(_ context.Context, isbn string) (*Book, error) {
	m.Called("ByISBN")
	for _, book := range m.books.Select(func(b Book) bool { return b.ISBN == isbn }) {
		book = clone(book)
		return &book, nil
	}
	return nil, ErrNotFound
}

func (m *Memory) ByAuthor(_ context.Context, author int64) ([]Book, error) {
	m.Called("ByAuthor")
	return m.books.Select(func(b Book) bool { return b.Author == author }), nil
}

func (m *Memory) Create(_ context.Context, b Book) (*Book, error) {
	m.last++
	b.ID, b.Version = m.last, 1
	m.books.Put(b.ID, clone(b))
	return &b, nil
}

func (m *Memory) Rename(_ context.Context, id int64, title string) (*Book, error) {
	if err := m.change(id, func(b *Book) { b.Title = title }); err != nil {
		return nil, err
	}
	book, err := m.row(id)
	return &book, err
}

func (m *Memory) Replace(_ context.Context, b Book) error {
	if !m.books.Change(b.ID, func(row *Book) { *row = clone(b) }) {
		return ErrNotFound
	}
	return nil
}

func (m *Memory) Relabel(_ context.Context, id int64, labels ...string) error {
	return m.change(id, func(b *Book) { b.Labels = slices.Clone(labels) })
}

func (m *Memory) Delete(_ context.Context, id int64) error {
	if !m.books.Delete(id) {
		return ErrNotFound
	}
	return nil
}

func (m *Memory) change(id int64, change func(*Book)) error {
	if !m.books.Change(id, func(b *Book) { change(b); b.Version++ }) {
		return ErrNotFound
	}
	return nil
}
