package transactions

import (
	"context"
	"errors"
	"maps"
	"sync"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// errConflict ends a transaction that has to be run again.
var errConflict = errors.New("conflict")

// Memory is the store in memory. It has one transaction at a time.
type Memory struct {
	memdb.Calls
	// Conflicts is how many of the next commits fail.
	Conflicts int
	// AtCommit, where it is set, is called right before and right after a commit.
	AtCommit func(done bool)

	mu       sync.Mutex
	balances map[int64]int64 // guarded by mu
}

// Tx holds what a transaction has changed.
type Tx struct {
	store   *Memory
	changed map[int64]int64
}

type txKey struct{}

// Begin starts a transaction.
func (m *Memory) Begin() *Tx { return &Tx{m, map[int64]int64{}} }

// Commit makes a transaction's changes everybody's.
func (tx *Tx) Commit() error {
	m := tx.store
	if m.Conflicts > 0 {
		m.Conflicts--
		return errConflict
	}
	if m.AtCommit != nil {
		m.AtCommit(false)
		defer m.AtCommit(true)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.balances == nil {
		m.balances = map[int64]int64{}
	}
	maps.Copy(m.balances, tx.changed)
	return nil
}

func (tx *Tx) balance(id int64) int64 {
	if cents, ok := tx.changed[id]; ok {
		return cents
	}
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	return tx.store.balances[id]
}

func (tx *Tx) add(id, cents int64) error {
	now := tx.balance(id) + cents
	if now < 0 {
		return ErrShort
	}
	tx.changed[id] = now
	return nil
}

// inTx is the store of one transaction.
type inTx struct {
	*Memory
	tx *Tx
}

func (s inTx) Balance(_ context.Context, id int64) (int64, error) {
	s.Called("Balance")
	return s.tx.balance(id), nil
}

func (s inTx) Deposit(_ context.Context, id, cents int64) error { return s.tx.add(id, cents) }

func (s inTx) Withdraw(_ context.Context, id, cents int64) (int64, error) {
	err := s.tx.add(id, -cents)
	return s.tx.balance(id), err
}

func (s inTx) Transfer(_ context.Context, from, to, cents int64) error {
	if err := s.tx.add(from, -cents); err != nil {
		return err
	}
	return s.tx.add(to, cents)
}

// Atomically inside a transaction is a savepoint.
func (s inTx) Atomically(_ context.Context, body func(store AccountStore) error) error {
	before := maps.Clone(s.tx.changed)
	err := body(s)
	if err != nil {
		s.tx.changed = before
	}
	return err
}

// run runs body in the transaction of ctx, or in one of its own.
func (m *Memory) run(ctx context.Context, body func(inTx) error) (tries int, err error) {
	if tx, ok := ctx.Value(txKey{}).(*Tx); ok {
		inside := inTx{m, tx}
		return 1, inside.Atomically(ctx, func(AccountStore) error { return body(inside) })
	}
	for tries = 1; ; tries++ {
		tx := m.Begin()
		if err := body(inTx{m, tx}); err != nil {
			return tries, err
		}
		if err := tx.Commit(); err != errConflict {
			return tries, err
		}
	}
}

func (m *Memory) Balance(ctx context.Context, id int64) (cents int64, err error) {
	if tx, ok := ctx.Value(txKey{}).(*Tx); ok {
		return inTx{m, tx}.Balance(ctx, id)
	}
	return inTx{m, m.Begin()}.Balance(ctx, id)
}

func (m *Memory) Deposit(ctx context.Context, id, cents int64) error {
	_, err := m.run(ctx, func(s inTx) error { return s.Deposit(ctx, id, cents) })
	return err
}

func (m *Memory) Withdraw(ctx context.Context, id, cents int64) (left int64, err error) {
	_, err = m.run(ctx, func(s inTx) error {
		left, err = s.Withdraw(ctx, id, cents)
		return err
	})
	return left, err
}

func (m *Memory) Transfer(ctx context.Context, from, to, cents int64) error {
	_, err := m.run(ctx, func(s inTx) error { return s.Transfer(ctx, from, to, cents) })
	return err
}

// WithTx of no transaction is no store.
func (m *Memory) WithTx(tx *Tx) (AccountStore, error) {
	if tx == nil {
		return nil, errors.New("no transaction")
	}
	return inTx{m, tx}, nil
}

func (m *Memory) Atomically(ctx context.Context, body func(store AccountStore) error) error {
	_, err := m.run(ctx, func(s inTx) error { return body(s) })
	return err
}

func (m *Memory) InContext(ctx context.Context, body func(ctx context.Context) error) (int, error) {
	return m.run(ctx, func(s inTx) error { return body(context.WithValue(ctx, txKey{}, s.tx)) })
}

func (m *Memory) BalanceTx(ctx context.Context, tx *Tx, id int64) (int64, error) {
	if tx == nil {
		return m.Balance(ctx, id)
	}
	return inTx{m, tx}.Balance(ctx, id)
}

func (m *Memory) DepositTx(ctx context.Context, tx *Tx, id, cents int64) error {
	if tx == nil {
		return m.Deposit(ctx, id, cents)
	}
	return tx.add(id, cents)
}
