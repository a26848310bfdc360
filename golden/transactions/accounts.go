// Package transactions pins what the wrapper does about transactions that it cannot see
// through, which is to stay out of them: a store derived from a transaction, a body that is
// handed a store, a transaction as a parameter. All of them are the source's own, so nothing
// uncommitted is cached, and whoever commits says what has changed (Cache.Invalidate).
//
// A transaction that stands whole inside one method is a write like any other.
package transactions

import (
	"context"
	"errors"
)

//go:generate go tool cachegen

// ErrShort says that an account does not cover a transfer.
var ErrShort = errors.New("not enough money")

// AccountStore stores balances.
//
//cachegen:repo name=accounts ttl=10m
type AccountStore interface {
	// Balance returns an account's balance.
	//
	//cachegen:read tag=account:{id}
	Balance(ctx context.Context, id int64) (int64, error)

	// Deposit adds to a balance.
	//
	//cachegen:write drop=account:{id}
	Deposit(ctx context.Context, id, cents int64) error

	// Transfer moves money, or nothing: one transaction in one method.
	//
	//cachegen:write drop=account:{from} drop=account:{to}
	Transfer(ctx context.Context, from, to, cents int64) error

	// WithTx returns a store whose statements belong to tx.
	//
	//cachegen:pass "reason=sees uncommitted rows"
	WithTx(tx *Tx) (AccountStore, error)

	// Atomically runs body with a store of its own, and commits unless it fails.
	//
	//cachegen:pass "reason=the body's store must see its own uncommitted rows"
	Atomically(ctx context.Context, body func(store AccountStore) error) error

	// DepositTx is Deposit as a part of tx.
	//
	//cachegen:pass "reason=has changed nothing until tx commits"
	DepositTx(ctx context.Context, tx *Tx, id, cents int64) error
}
