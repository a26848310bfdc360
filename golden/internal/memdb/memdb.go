// Package memdb is the database of the golden packages: tables in memory that hand out
// copies of rows, and a count of the calls that reach a source. It knows nothing of caches.
package memdb

import (
	"cmp"
	"maps"
	"slices"
	"sync"
)

// Table holds rows by primary key. Rows go in and come out by value; what they point to is
// the caller's business. The zero value is an empty table, safe for concurrent use.
type Table[K cmp.Ordered, V any] struct {
	mu   sync.Mutex
	rows map[K]V // guarded by mu
}

// Get returns a row.
func (t *Table[K, V]) Get(key K) (V, bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	row, ok := t.rows[key]
	return row, ok
}

// Put stores a row, new or not.
func (t *Table[K, V]) Put(key K, row V) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.rows == nil {
		t.rows = map[K]V{}
	}
	t.rows[key] = row
}

// Change runs change on a row and stores it; false when there is none. The table is locked
// meanwhile, as by a statement.
func (t *Table[K, V]) Change(key K, change func(row *V)) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	row, ok := t.rows[key]
	if ok {
		change(&row)
		t.rows[key] = row
	}
	return ok
}

// Delete removes a row and reports whether there was one.
func (t *Table[K, V]) Delete(key K) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, ok := t.rows[key]
	delete(t.rows, key)
	return ok
}

// Select returns the rows that match in the order of their keys; nil when none does.
func (t *Table[K, V]) Select(match func(row V) bool) []V {
	t.mu.Lock()
	defer t.mu.Unlock()
	var found []V
	for _, key := range slices.Sorted(maps.Keys(t.rows)) {
		if row := t.rows[key]; match(row) {
			found = append(found, row)
		}
	}
	return found
}

// Any matches every row.
func Any[V any](V) bool { return true }
