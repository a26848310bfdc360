// Package transactions pins what the wrapper does about transactions of the source: a body that
// is handed a store, or a context, a store derived from a transaction, a transaction as a
// parameter. What is not committed is not cached, whoever wrote it reads it, and what is
// committed is told to the cache in time: before the commit it is marked.
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

	// Withdraw takes from a balance and returns what is left.
	//
	//cachegen:write drop=account:{id} put=Balance(id) value=ret
	Withdraw(ctx context.Context, id, cents int64) (int64, error)

	// Transfer moves money, or nothing: one transaction in one method.
	//
	//cachegen:write drop=account:{from} drop=account:{to}
	Transfer(ctx context.Context, from, to, cents int64) error

	// WithTx returns a store whose statements belong to tx.
	//
	//cachegen:tx
	WithTx(tx *Tx) (AccountStore, error)

	// Atomically runs body with a store of its own, and commits unless it fails; after a
	// conflict it runs it again.
	//
	//cachegen:tx
	Atomically(ctx context.Context, body func(store AccountStore) error) error

	// InContext is Atomically with the transaction in the body's context. It returns how
	// often the body ran.
	//
	//cachegen:tx "reason=older callers"
	InContext(ctx context.Context, body func(ctx context.Context) error) (int, error)

	// BalanceTx is Balance as tx sees it; a nil tx sees what is committed.
	//
	//cachegen:read tag=account:{id} key=Balance tx=tx
	BalanceTx(ctx context.Context, tx *Tx, id int64) (int64, error)

	// DepositTx is Deposit as a part of tx, or by itself where that is nil.
	//
	//cachegen:write drop=account:{id} tx=tx put=BalanceTx(id) value=reload
	DepositTx(ctx context.Context, tx *Tx, id, cents int64) error
}
