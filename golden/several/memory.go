package several

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	books memdb.Table[int64, Book]
}

func (m *Memory) by(author int64) []Book {
	return m.books.Select(func(b Book) bool { return b.AuthorID == author })
}

func (m *Memory) List(_ context.Context, author int64, limit int) ([]Book, int, error) {
	m.Called("List")
	all := m.by(author)
	return all[:min(limit, len(all))], len(all), nil
}

func (m *Memory) Page(_ context.Context, author, after int64) (page []Book, more bool, err error) {
	m.Called("Page")
	page = m.books.Select(func(b Book) bool { return b.AuthorID == author && b.ID > after })
	return page[:min(2, len(page))], len(page) > 2, nil
}

func (m *Memory) Find(_ context.Context, id int64) (Book, bool, error) {
	m.Called("Find")
	book, ok := m.books.Get(id)
	return book, ok, nil
}

func (m *Memory) Neighbours(_ context.Context, id int64) (prev, next *Book, err error) {
	m.Called("Neighbours")
	for _, book := range m.books.Select(memdb.Any) {
		switch {
		case book.ID < id:
			prev = &book
		case book.ID > id && next == nil:
			next = &book
		}
	}
	return prev, next, nil
}

func (m *Memory) Span(context.Context) (ret, c time.Time, ok map[int64]bool, t string, err error) {
	m.Called("Span")
	ok = map[int64]bool{}
	for _, book := range m.books.Select(memdb.Any) {
		if ret.IsZero() || book.Added.Before(ret) {
			ret = book.Added
		}
		if book.Added.After(c) {
			c = book.Added
		}
		ok[book.ID] = true
	}
	return ret, c, ok, fmt.Sprint(len(ok), " books"), nil
}

func (m *Memory) Add(_ context.Context, b Book) (Book, int, error) {
	m.books.Put(b.ID, b)
	return b, len(m.by(b.AuthorID)), nil
}
