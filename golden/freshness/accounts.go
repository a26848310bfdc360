// Package freshness pins reads that must not come from the cache because of the value of a
// parameter: a lock strength behind a pointer to options, a constant of another package, a
// flag, a named mode. The source is asked, and nothing is stored.
package freshness

import (
	"context"
	"database/sql"
)

//go:generate go tool cachegen

// Lock is the strength of a row lock.
type Lock uint8

// The strengths.
const (
	LockNone Lock = iota
	LockShare
	LockUpdate
)

// Options are a read's. Nil means none.
type Options struct {
	Lock    Lock
	Replica *bool
}

// Primary is a mode.
const Primary = "primary"

// Account is a row.
type Account struct {
	ID      int64
	Balance int64
}

// AccountRepo stores accounts.
//
//cachegen:repo name=freshness ttl=10m
type AccountRepo interface {
	// Get returns an account, locked as opts say; with Replica false from the primary.
	//
	//cachegen:read tag=account:{id} ignore=opts bypass=opts.Lock:!=LockNone bypass=opts.Replica:==false
	Get(ctx context.Context, id int64, opts *Options) (Account, error)

	// Balance returns a balance, at an isolation level.
	//
	//cachegen:read tag=account:{id} ignore=level bypass=level:==sql.LevelSerializable
	Balance(ctx context.Context, id int64, level sql.IsolationLevel) (int64, error)

	// Status returns what a mode of reading makes of an account.
	//
	//cachegen:read tag=account:{id} bypass=mode:==Primary bypass=mode:=="leader" bypass=limit:==0
	Status(ctx context.Context, id int64, mode string, limit int) (string, error)

	// Exists asks with latest at once.
	//
	//cachegen:read tag=account:{id} ignore=latest bypass=latest:==true
	Exists(ctx context.Context, id int64, latest bool) (bool, error)

	// ByFilter needs a filter; without one the source decides.
	//
	//cachegen:read tag=account:{id} bypass=filter:==nil
	ByFilter(ctx context.Context, id int64, filter *int64) (Account, error)

	// Transfer changes a balance.
	//
	//cachegen:write drop=account:{id}
	Transfer(ctx context.Context, id, amount int64) error
}
