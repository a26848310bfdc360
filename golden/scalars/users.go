// Package scalars pins the plain case, tier 1: a context and scalars go in, one value and an
// error come out. Keys hold all parameters in order, whatever their kinds; a changed key
// column ends what was cached under the old value and under the new one.
package scalars

import (
	"context"
	"time"
)

//go:generate go tool cachegen

// Named kinds of scalars.
type (
	UserID int64
	Email  string
	Role   uint8
)

// User is a row.
type User struct {
	ID     UserID
	Email  Email
	Name   string
	Role   Role
	Joined time.Time
}

// UserRepo stores users.
//
//cachegen:repo name=users ttl=10m
type UserRepo interface {
	// ByID returns one user.
	//
	//cachegen:read tag=user:{id}
	ByID(ctx context.Context, id UserID) (User, error)

	// ByEmail returns the user with that address. It ends with its user and, because
	// somebody else may take it over, with the address.
	//
	//cachegen:read tag=email:{email} tag=user:{ret.ID}
	ByEmail(ctx context.Context, email Email) (*User, error)

	// Setting returns a value of a user's settings.
	//
	//cachegen:read tag=user:{id}
	Setting(ctx context.Context, id UserID, group, name string) (string, error)

	// CountJoined counts the users of a role who joined in a period.
	//
	//cachegen:read tag=users
	CountJoined(ctx context.Context, role Role, from, until time.Time) (int, error)

	// Near reports whether a user is at most that far away.
	//
	//cachegen:read tag=user:{id}
	Near(ctx context.Context, id UserID, lat, lon float64, km float32, indoors bool) (bool, error)

	// Create adds a user.
	//
	//cachegen:write drop=user:{u.ID} drop=email:{u.Email} drop=users
	Create(ctx context.Context, u User) error

	// Rename changes the name.
	//
	//cachegen:write drop=user:{id}
	Rename(ctx context.Context, id UserID, name string) error

	// Move changes the address.
	//
	//cachegen:write drop=user:{id} drop=email:{email}
	Move(ctx context.Context, id UserID, email Email) error
}
