package lists

import (
	"context"
	"slices"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	books memdb.Table[int64, Book]
}

func clone(b Book) Book {
	b.Labels = slices.Clone(b.Labels)
	return b
}

func (m *Memory) ByIDs(_ context.Context, ids []int64) ([]*Book, error) {
	m.Called("ByIDs")
	var found []*Book
	for _, id := range ids {
		if book, ok := m.books.Get(id); ok {
			book = clone(book)
			found = append(found, &book)
		}
	}
	return found, nil
}

func (m *Memory) ByISBN(_ context.Context, isbns ...string) (map[string]Book, error) {
	m.Called("ByISBN")
	found := map[string]Book{}
	for _, book := range m.books.Select(func(b Book) bool { return slices.Contains(isbns, b.ISBN) }) {
		found[book.ISBN] = clone(book)
	}
	return found, nil
}

func (m *Memory) Labelled(_ context.Context, labels map[string]bool, _ ...[]string) ([]string, error) {
	m.Called("Labelled")
	titles := []string{}
	for _, book := range m.books.Select(memdb.Any) {
		fits := true
		for label, wanted := range labels {
			fits = fits && slices.Contains(book.Labels, label) == wanted
		}
		if fits {
			titles = append(titles, book.Title)
		}
	}
	return titles, nil
}

func (m *Memory) CountAll(_ context.Context, lists [][]int64) (map[int]int, error) {
	m.Called("CountAll")
	var counts map[int]int
	for i, ids := range lists {
		if counts == nil {
			counts = map[int]int{}
		}
		counts[i] = len(m.books.Select(func(b Book) bool { return slices.Contains(ids, b.ID) }))
	}
	return counts, nil
}

func (m *Memory) Create(_ context.Context, books ...Book) error {
	for _, book := range books {
		m.books.Put(book.ID, clone(book))
	}
	return nil
}

func (m *Memory) Rename(_ context.Context, id int64, title string) error {
	m.books.Change(id, func(b *Book) { b.Title = title })
	return nil
}

func (m *Memory) SaveAll(ctx context.Context, books []Book) ([]*Book, error) {
	var saved []*Book
	for _, book := range books {
		book = clone(book)
		saved = append(saved, &book)
	}
	return saved, m.Create(ctx, books...)
}
