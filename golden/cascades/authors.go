// Package cascades pins writes whose effect reaches other repositories: foreign keys that
// cascade, joins, computed columns. A write drops another repository's tag, or all of it; a
// read depends on another repository's tag.
package cascades

import "context"

//go:generate go tool cachegen

// Author is a row.
type Author struct {
	ID   int64
	Name string
}

// AuthorRepo stores authors.
//
//cachegen:repo name=authors ttl=10m negative=1m
type AuthorRepo interface {
	// ByID returns an author, nil when there is none.
	//
	//cachegen:read tag=author:{id}
	ByID(ctx context.Context, id int64) (*Author, error)

	// Save stores an author, new or not.
	//
	//cachegen:write drop=author:{a.ID}
	Save(ctx context.Context, a Author) error

	// Delete removes an author and, by the foreign key, the author's books: which ones the
	// call does not say, so all of that repository goes.
	//
	//cachegen:write drop=author:{id} drop=books/*
	Delete(ctx context.Context, id int64) error
}
