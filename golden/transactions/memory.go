package transactions

import (
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the store in memory. It has one transaction at a time.
type Memory struct {
	memdb.Calls
	mu       sync.Mutex
	balances map[int64]int64 // guarded by mu
}

// Tx holds what a transaction has changed.
type Tx struct {
	store   *Memory
	changed map[int64]int64
}

// Begin starts a transaction.
func (m *Memory) Begin() *Tx { return &Tx{m, map[int64]int64{}} }

// Commit makes a transaction's changes everybody's and returns the accounts that changed.
func (tx *Tx) Commit() []int64 {
	tx.store.mu.Lock()
	defer tx.store.mu.Unlock()
	if tx.store.balances == nil {
		tx.store.balances = map[int64]int64{}
	}
	maps.Copy(tx.store.balances, tx.changed)
	return slices.Sorted(maps.Keys(tx.changed))
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

func (s inTx) Transfer(_ context.Context, from, to, cents int64) error {
	if err := s.tx.add(from, -cents); err != nil {
		return err
	}
	return s.tx.add(to, cents)
}

func (m *Memory) Balance(ctx context.Context, id int64) (int64, error) {
	return inTx{m, m.Begin()}.Balance(ctx, id)
}

func (m *Memory) Deposit(ctx context.Context, id, cents int64) error {
	return m.Atomically(ctx, func(s AccountStore) error { return s.Deposit(ctx, id, cents) })
}

func (m *Memory) Transfer(ctx context.Context, from, to, cents int64) error {
	return m.Atomically(ctx, func(s AccountStore) error { return s.Transfer(ctx, from, to, cents) })
}

func (m *Memory) WithTx(tx *Tx) (AccountStore, error) { return inTx{m, tx}, nil }

func (m *Memory) Atomically(_ context.Context, body func(store AccountStore) error) error {
	tx := m.Begin()
	if err := body(inTx{m, tx}); err != nil {
		return err
	}
	tx.Commit()
	return nil
}

func (m *Memory) DepositTx(_ context.Context, tx *Tx, id, cents int64) error {
	return tx.add(id, cents)
}
