// Package shop is a repository in memory, counting calls.
package shop

import (
	"context"
	"errors"
	"strings"
	"sync"
)

var ErrNotFound = errors.New("shop: not found")

type Lock int

const (
	LockNone Lock = iota
	LockUpdate
)

type Author struct{ ID int64 }

type Book struct {
	ID     int64
	Author *Author
	Title  string
	Tags   []string
}

type Page struct {
	Offset, Limit int
	Lock          Lock
}

type Filter struct {
	IDs    []int64
	Titles map[string]bool
}

type userKey struct{}

func WithUser(ctx context.Context, id int64) context.Context {
	return context.WithValue(ctx, userKey{}, id)
}

func User(ctx context.Context) (int64, bool) {
	id, ok := ctx.Value(userKey{}).(int64)
	return id, ok
}

func Fold(s string) string { return strings.ToLower(s) }

type Repo interface {
	ByID(ctx context.Context, id int64) (*Book, error)
	Find(ctx context.Context, id int64) (Book, bool, error)
	ByTitle(ctx context.Context, title string) (*Book, error)
	ListByAuthor(ctx context.Context, author *int64, page *Page) ([]*Book, error)
	CountByIDs(ctx context.Context, ids ...int64) (n int, err error)
	Search(ctx context.Context, f *Filter) ([]int64, error)
	Mine(ctx context.Context) ([]int64, error)
	Total() int
	Check(ctx context.Context, id int64) error

	Create(ctx context.Context, b *Book) (*Book, error)
	Rename(ctx context.Context, id int64, title string) (Book, error)
	Move(ctx context.Context, id int64, author *Author) error
	Delete(ctx context.Context, id int64) error
	Reset()
	// Save creates a book, fills its ID and normalises the rest of it.
	Save(ctx context.Context, b *Book) error

	Calls() int
}

// Memory is the source. Its methods answer with fresh copies.
type Memory struct {
	mu    sync.Mutex
	books map[int64]*Book
	calls int
	Fail  error // returned by writes after they have committed
	// CountByIDs and Search say that they are there and wait to be told to go on.
	Entered, Go chan struct{}
}

func New() *Memory { return &Memory{books: map[int64]*Book{}} }

func copied(b *Book) *Book {
	c := *b
	c.Tags = append([]string(nil), b.Tags...)
	if b.Author != nil {
		a := *b.Author
		c.Author = &a
	}
	return &c
}

func (m *Memory) enter() func() {
	m.mu.Lock()
	m.calls++
	return m.mu.Unlock
}

func (m *Memory) Calls() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.calls
}

func (m *Memory) ByID(_ context.Context, id int64) (*Book, error) {
	defer m.enter()()
	if b := m.books[id]; b != nil {
		return copied(b), nil
	}
	return nil, ErrNotFound
}

func (m *Memory) Find(_ context.Context, id int64) (Book, bool, error) {
	defer m.enter()()
	if b := m.books[id]; b != nil {
		return *copied(b), true, nil
	}
	return Book{}, false, nil
}

func (m *Memory) ByTitle(_ context.Context, title string) (*Book, error) {
	defer m.enter()()
	for _, b := range m.books {
		if strings.EqualFold(b.Title, title) {
			return copied(b), nil
		}
	}
	return nil, nil
}

func (m *Memory) ListByAuthor(_ context.Context, author *int64, _ *Page) ([]*Book, error) {
	defer m.enter()()
	list := []*Book{nil} // a hole, to be survived
	for _, b := range m.books {
		if author == nil && b.Author == nil || author != nil && b.Author != nil && *author == b.Author.ID {
			list = append(list, copied(b))
		}
	}
	return list, nil
}

// hold waits whatever becomes of the caller's context, as a driver may for a while.
func (m *Memory) hold() {
	if m.Entered != nil {
		m.Entered <- struct{}{}
		<-m.Go
	}
}

func (m *Memory) CountByIDs(_ context.Context, ids ...int64) (int, error) {
	m.hold()
	defer m.enter()()
	n := 0
	for _, id := range ids {
		if m.books[id] != nil {
			n++
		}
	}
	return n, nil
}

func (m *Memory) Search(_ context.Context, f *Filter) ([]int64, error) {
	m.hold()
	defer m.enter()()
	var ids []int64
	for _, id := range f.IDs {
		if b := m.books[id]; b != nil && f.Titles[b.Title] {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

func (m *Memory) Mine(ctx context.Context) ([]int64, error) {
	defer m.enter()()
	id, _ := User(ctx)
	return []int64{id}, nil
}

func (m *Memory) Total() int {
	defer m.enter()()
	return len(m.books)
}

func (m *Memory) Check(_ context.Context, id int64) error {
	defer m.enter()()
	if m.books[id] == nil {
		return ErrNotFound
	}
	return nil
}

func (m *Memory) Create(_ context.Context, b *Book) (*Book, error) {
	defer m.enter()()
	b.ID = int64(len(m.books) + 1) // as a database would
	m.books[b.ID] = copied(b)
	return copied(b), m.Fail
}

func (m *Memory) Rename(_ context.Context, id int64, title string) (Book, error) {
	defer m.enter()()
	b := m.books[id]
	if b == nil {
		return Book{}, ErrNotFound
	}
	b.Title = title
	return *copied(b), m.Fail
}

func (m *Memory) Move(_ context.Context, id int64, author *Author) error {
	defer m.enter()()
	if b := m.books[id]; b != nil {
		b.Author = author
	}
	return m.Fail
}

func (m *Memory) Delete(_ context.Context, id int64) error {
	defer m.enter()()
	delete(m.books, id)
	return m.Fail
}

func (m *Memory) Save(_ context.Context, b *Book) error {
	defer m.enter()()
	if b == nil {
		return ErrNotFound
	}
	b.ID = int64(len(m.books) + 1)
	b.Title = strings.TrimSpace(b.Title)
	b.Author = &Author{-b.Author.ID}
	m.books[b.ID] = copied(b)
	return m.Fail
}

func (m *Memory) Reset() {
	defer m.enter()()
	clear(m.books)
}
