package cachert

import "context"

// Transact makes a unit of work of a transaction that somebody else runs: tx begins one,
// calls what it is given once or, after a conflict, again, commits when that returned nil and
// rolls back when it did not. This is the shape of most helpers for transactions.
//
//	err := cache.Transact(ctx, store.InTx, func(ctx context.Context) error {
//		_, err := books.Rename(ctx, 7, "Emma")
//		return err
//	})
//
// Transact returns tx's error. Inside a unit of work of this cache it joins that one, which
// ends when its own transaction does; what was to be stored since is forgotten after an error.
func (c *Cache) Transact(ctx context.Context, tx func(ctx context.Context, body func(context.Context) error) error, body func(context.Context) error) error {
	if outer := c.unit(ctx); outer != nil {
		forget := outer.Savepoint()
		err := tx(ctx, body)
		if err != nil {
			forget()
		}
		return err
	}
	ctx, unit := c.Begin(ctx)
	defer unit.Discard() // does nothing after Post
	restart := unit.Savepoint()
	marked := false
	err := tx(ctx, func(ctx context.Context) error {
		restart() // what an attempt before would have stored was rolled back
		marked = false
		if err := body(ctx); err != nil {
			return err
		}
		if err := unit.Mark(); err != nil {
			return err
		}
		marked = true
		return nil
	})
	if marked {
		_ = unit.Post(err) // what could not be told is counted and journalled
	}
	return err
}
