package databases

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/cachegen/cachegen/runtime/sqltx"
)

// 1. a nested transaction has done its work, and its context ends
// 2. its savepoint cannot be released: the caller is told that it failed
// 3. the outer transaction goes on without it, and commits
//
// What has failed must not be committed.
func TestASavepointThatCannotBeReleasedIsRolledBack(t *testing.T) {
	onEach(t, func(t *testing.T, d database) {
		k := newCounter(t, config{Database: d})
		k.cached(t)
		err := sqltx.Run(t.Context(), k.cache, k.db, nil, func(ctx context.Context, _ *sql.Tx) error {
			inner, cancel := context.WithCancel(ctx)
			err := sqltx.Run(inner, k.cache, k.db, nil, func(ctx context.Context, _ *sql.Tx) error {
				defer cancel()
				return k.add(ctx)
			})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("nested: %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if n, err := k.source(t.Context()); n != 1 || err != nil {
			t.Errorf("%d, %v: a nested transaction that failed was committed", n, err)
		}
		k.wants(t, 1, "through the cache")
	})
}
