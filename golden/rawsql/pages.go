// Package rawsql pins what to do after changes that the wrapper does not see: raw SQL, a
// migration, another program, a test that truncates. One says which tags, which repository,
// or that everything is old.
package rawsql

import "context"

//go:generate go tool cachegen

// PageRepo stores pages of a wiki.
//
//cachegen:repo name=pages ttl=10m
type PageRepo interface {
	// Text returns a page's text.
	//
	//cachegen:read tag=page:{space}:{id}
	Text(ctx context.Context, space string, id int64) (string, error)

	// Write stores a page.
	//
	//cachegen:write drop=page:{space}:{id}
	Write(ctx context.Context, space string, id int64, text string) error
}

// CommentRepo stores comments on pages, in each tenant.
//
//cachegen:repo name=comments ttl=10m tenant=ctx
type CommentRepo interface {
	// Count returns how many comments a page has.
	//
	//cachegen:read tag=page:{id}
	Count(ctx context.Context, id int64) (int, error)

	// Add adds a comment.
	//
	//cachegen:write drop=page:{id}
	Add(ctx context.Context, id int64, text string) error
}
