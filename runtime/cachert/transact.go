package cachert

import "context"

// Transactor makes units of work of the transactions that a source runs: of its methods that
// take a body, such as
//
//	InTx(ctx context.Context, body func(Store) error) error
//
// Generated code calls it. It is safe for concurrent use.
type Transactor struct {
	cache *Cache
	unit  *Unit // to which the store is bound; nil: to none
}

// NewTransactor returns the Transactor of a repository.
func NewTransactor(r *Repo) *Transactor { return &Transactor{cache: r.cache} }

// In returns the Transactor of a store that the source handed out. Its transactions are part
// of u or, where that is nil or has ended, of the unit of work of their context.
func (t *Transactor) In(u *Unit) *Transactor {
	u.handOut()
	return &Transactor{cache: t.cache, unit: u}
}

// Transaction is one call of a method that runs a transaction.
type Transaction struct {
	unit    *Unit
	marks   bool   // at the end of the body
	restart func() // forget what an attempt before would have stored
	marked  bool   // the last attempt ended well
	since   int    // cells that the unit had before the first attempt
}

// Run calls source, which hands to the source's method a function that calls tx.Body. The
// method begins a transaction, calls that function once or, after a conflict, again, commits
// when it returned nil and rolls back when it did not. Run returns source's error.
//
// Inside a unit of work it joins that one, whose end tells the cache; what was to be stored
// since is forgotten after an error or a panic.
func (t *Transactor) Run(ctx context.Context, source func(ctx context.Context, tx *Transaction) error) error {
	if t.unit != nil && t.unit.running() {
		return join(t.unit.bind(ctx), &Transaction{unit: t.unit}, source)
	}
	if outer := t.cache.unit(ctx); outer != nil {
		// The source may know the outer transaction by ctx, or begin one of its own, which is
		// committed before the outer one: it is marked before either.
		return join(ctx, &Transaction{unit: outer, marks: true}, source)
	}
	ctx, unit := t.cache.Begin(ctx)
	tx := &Transaction{unit: unit, marks: true, restart: unit.Savepoint()}
	defer func() { // does nothing after Post
		if tx.marked {
			unit.lost() // a panic out of COMMIT
		} else {
			unit.Discard()
		}
	}()
	err := source(ctx, tx)
	switch {
	case tx.marked:
		_ = unit.Post(err) // what could not be told is counted and journalled
	case err == nil: // the body's error was swallowed: there may have been a COMMIT
		tx.restart()
		_ = unit.Post(nil)
	}
	return err
}

// join runs a transaction that is part of another one, or may be.
func join(ctx context.Context, tx *Transaction, source func(context.Context, *Transaction) error) (err error) {
	tx.restart, tx.since = tx.unit.Savepoint(), tx.unit.named()
	returned := false
	defer func() {
		if !returned || err != nil {
			tx.restart()
		}
		if tx.marked || tx.marks && returned && err == nil { // nil: the body's error was swallowed
			tx.unit.committed(returned, err)
		}
	}()
	err = source(ctx, tx)
	returned = true
	return err
}

// Body runs one attempt of the transaction. The context handed to body is ctx and carries the
// unit of work, to which a store handed out is to be bound. An error is body's, or says that
// some write is refused because the store cannot be told: it wraps ErrRefused. The transaction
// must be rolled back then.
func (tx *Transaction) Body(ctx context.Context, body func(ctx context.Context, unit *Unit) error) error {
	if tx.marked {
		tx.unit.again(tx.since)
	}
	tx.restart()
	tx.marked = false
	if err := body(tx.unit.bind(ctx), tx.unit); err != nil {
		return err
	}
	if !tx.marks {
		return nil
	}
	if err := tx.unit.MarkTx(ctx.Value(txKey{})); err != nil {
		return err
	}
	tx.marked = true
	return nil
}

// Transact makes a unit of work of a transaction that somebody else runs: tx begins one,
// calls what it is given once or, after a conflict, again, commits when that returned nil and
// rolls back when it did not. This is the shape of most helpers for transactions. A tag that
// only attempts before the last one have named, after whose COMMIT the body ran again, counts as
// one of unknown outcome; one that the last attempt has named too is told as usual, because the
// rows that both have written are locked until the first has ended.
//
//	err := cache.Transact(ctx, store.InTx, func(ctx context.Context) error {
//		_, err := books.Rename(ctx, 7, "Emma")
//		return err
//	})
//
// Transact returns tx's error. Inside a unit of work of this cache it joins that one, which
// ends when its own transaction does; what was to be stored since is forgotten after an error.
func (c *Cache) Transact(ctx context.Context, tx func(ctx context.Context, body func(context.Context) error) error, body func(context.Context) error) error {
	t := &Transactor{cache: c}
	return t.Run(ctx, func(ctx context.Context, run *Transaction) error {
		return tx(ctx, func(ctx context.Context) error {
			return run.Body(ctx, func(ctx context.Context, _ *Unit) error { return body(ctx) })
		})
	})
}
