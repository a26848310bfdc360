// Package folding pins keys that the database folds: a look-up that ignores case and space
// has many keys for one row. norm= brings them together, in keys and in tags, on the side of
// reads and of writes, for parameters and for fields of one.
package folding

import (
	"context"
	"strings"
)

//go:generate go tool cachegen

// Handle is a user's public name.
type Handle string

// Fold is what the database's collation does to a handle.
func Fold(h Handle) Handle { return Handle(strings.ToLower(strings.TrimSpace(string(h)))) }

// User is a row.
type User struct {
	ID     int64
	Email  string
	Handle Handle
}

// Search selects users.
type Search struct {
	Handle Handle
	Limit  int
}

// UserRepo stores users. Addresses and handles are compared without regard to case.
//
//cachegen:repo name=folding ttl=10m negative=1m
type UserRepo interface {
	// ByEmail returns a user, nil when there is none.
	//
	//cachegen:read tag=email:{email} norm=email:strings.ToLower
	ByEmail(ctx context.Context, email string) (*User, error)

	// Find returns a user, nil when there is none. A norm holds for a whole key argument, so
	// the fields of the search stand in the key one by one.
	//
	//cachegen:read key=Find:{s.Handle}:{s.Limit} ignore=s tag=handle:{s.Handle} norm=s.Handle:Fold
	Find(ctx context.Context, s Search) (*User, error)

	// IDs has the search itself as its key: one entry for each spelling, all of which end
	// with one tag.
	//
	//cachegen:read tag=handle:{s.Handle} norm=s.Handle:Fold
	IDs(ctx context.Context, s Search) ([]int64, error)

	// Save stores a user, new or not.
	//
	//cachegen:write drop=email:{u.Email} drop=handle:{u.Handle} norm=u.Email:strings.ToLower norm=u.Handle:Fold
	Save(ctx context.Context, u *User) error

	// Free gives an address and a handle back.
	//
	//cachegen:write drop=email:{email} drop=handle:{handle} norm=email:strings.ToLower norm=handle:Fold
	Free(ctx context.Context, email string, handle Handle) error
}
