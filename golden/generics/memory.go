package generics

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is a Store in memory.
type Memory[K cmp.Ordered, V any] struct {
	memdb.Calls
	mu    sync.Mutex
	rows  map[K]V   // guarded by mu
	clone func(V) V // a row must not be shared
}

// NewMemory returns an empty store whose rows are copied by clone.
func NewMemory[K cmp.Ordered, V any](clone func(V) V) *Memory[K, V] {
	return &Memory[K, V]{rows: map[K]V{}, clone: clone}
}

func (m *Memory[K, V]) Get(_ context.Context, id K) (V, bool, error) {
	m.Called("Get")
	m.mu.Lock()
	defer m.mu.Unlock()
	row, ok := m.rows[id]
	if !ok {
		return row, false, nil
	}
	return m.clone(row), true, nil
}

func (m *Memory[K, V]) List(_ context.Context, after Option[K], limit int) (Page[K, V], error) {
	m.Called("List")
	m.mu.Lock()
	defer m.mu.Unlock()
	page := Page[K, V]{Index: map[K]int{}}
	for _, id := range slices.Sorted(maps.Keys(m.rows)) {
		switch {
		case after.OK && id <= after.Value:
		case len(page.Items) == limit:
			page.Next = &id
			return page, nil
		default:
			page.Index[id] = len(page.Items)
			page.Items = append(page.Items, m.clone(m.rows[id]))
		}
	}
	return page, nil
}

func (m *Memory[K, V]) Put(_ context.Context, id K, row V) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[id] = m.clone(row)
	return nil
}

// Books is a BookStore in memory.
type Books struct{ *Memory[int64, *Book] }

// NewBooks returns an empty one.
func NewBooks() Books {
	return Books{NewMemory[int64](func(b *Book) *Book {
		return &Book{Title: b.Title, Labels: slices.Clone(b.Labels)}
	})}
}

func (b Books) Titles(ctx context.Context, limit Option[int]) (Page[int64, string], error) {
	n := len(b.rows)
	if limit.OK {
		n = limit.Value
	}
	page, err := b.List(ctx, Option[int64]{}, n)
	titles := Page[int64, string]{Next: page.Next, Index: page.Index}
	for _, book := range page.Items {
		titles.Items = append(titles.Items, book.Title)
	}
	return titles, err
}
