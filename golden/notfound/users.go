// Package notfound pins the ways in which a source says "not there", each of which comes back
// from the cache as it was: a sentinel error that callers compare with ==, a nil pointer
// without an error, a zero value, false. It pins too what is not kept: an error that wraps a
// sentinel, and a value that comes together with an error.
package notfound

import (
	"context"
	"database/sql"
	"errors"
)

//go:generate go tool cachegen

// The errors of the repository. Callers compare them with ==.
var (
	ErrNotFound = errors.New("no such user")
	ErrDeleted  = errors.New("user deleted")
	ErrPartial  = errors.New("the profile is not complete")
)

var _ = sql.ErrNoRows // named in a directive

// User is a row.
type User struct {
	ID    int64
	Email string
	Name  string
	Teams []string
}

// UserRepo stores users.
//
//cachegen:repo name=notfound ttl=10m negative=1m
type UserRepo interface {
	// ByID returns a user, ErrNotFound, or ErrDeleted together with the last row.
	//
	//cachegen:read tag=user:{id} notfound=ErrNotFound notfound=ErrDeleted
	ByID(ctx context.Context, id int64) (*User, error)

	// Email returns an address, or sql.ErrNoRows. An empty address is a value.
	//
	//cachegen:read tag=user:{id} notfound=sql.ErrNoRows
	Email(ctx context.Context, id int64) (string, error)

	// ByEmail returns a user, or nil without an error.
	//
	//cachegen:read tag=email:{email} tag=user:{ret.ID}
	ByEmail(ctx context.Context, email string) (*User, error)

	// ByName returns a user, or the zero user. Its slice makes it incomparable.
	//
	//cachegen:read tag=name:{name} tag=user:{ret.ID}
	ByName(ctx context.Context, name string) (User, error)

	// Lookup returns a user; false when there is none.
	//
	//cachegen:read tag=user:{id}
	Lookup(ctx context.Context, id int64) (*User, bool, error)

	// Profile returns what could be read of a user, with ErrPartial if that is not all.
	//
	//cachegen:read tag=user:{id} notfound=ErrNotFound
	Profile(ctx context.Context, id int64) (*User, error)

	// Wrapped is ByID with an error that wraps ErrNotFound and tells more.
	//
	//cachegen:read tag=user:{id} notfound=ErrNotFound
	Wrapped(ctx context.Context, id int64) (User, error)

	// Fresh does not keep what is not there.
	//
	//cachegen:read tag=user:{id} notfound=ErrNotFound negative=0s
	Fresh(ctx context.Context, id int64) (User, error)

	// Count cannot say "not there".
	//
	//cachegen:read tag=count
	Count(ctx context.Context) (int, error)

	// Create adds a user.
	//
	//cachegen:write drop=user:{u.ID} drop=email:{u.Email} drop=name:{u.Name} drop=count
	Create(ctx context.Context, u User) error

	// Delete marks a user as deleted.
	//
	//cachegen:write drop=user:{id} drop=count
	Delete(ctx context.Context, id int64) error
}
