package sqltx

import (
	"context"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// Pools are the connections to a database and to a replica that lags behind it by at most
// cachert.Options.ReplicaLag. A repository asks For before each query:
//
//	rows, err := r.pools.For(ctx).QueryContext(ctx, "SELECT ...")
//
// Transactions are begun on Primary. T is *sql.DB, *sqlx.DB or whatever else stands for a pool.
type Pools[T comparable] struct {
	Primary T
	// Replica may be the zero value: there is none.
	Replica T
}

// For returns the replica for loads of which the cache knows that it will do, and the primary
// for everything else.
func (p Pools[T]) For(ctx context.Context) T {
	var none T
	if cachert.NeedsPrimary(ctx) || p.Replica == none {
		return p.Primary
	}
	return p.Replica
}
