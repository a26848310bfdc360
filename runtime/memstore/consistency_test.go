package memstore_test

import (
	"testing"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
	"github.com/cachegen/cachegen/runtime/storetest/consistency"
)

// Two caches over one memstore, as two wrappers in one process might have.
func TestConsistency(t *testing.T) {
	for name, tt := range map[string]struct {
		options memstore.Options
		rounds  int
	}{
		"default": {rounds: 1000},
		"tiny":    {memstore.Options{MaxEntries: 6, MaxCells: 6}, 100}, // evictions all the time
	} {
		t.Run(name, func(t *testing.T) {
			consistency.Run(t, consistency.Config{
				Rounds: tt.rounds,
				Stores: func(*testing.T) (one, two store.Store) {
					s := memstore.New(tt.options)
					return s, s
				},
			})
		})
	}
}
