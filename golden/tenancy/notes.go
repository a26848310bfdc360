// Package tenancy pins answers that depend on the context: on the tenant that
// cachert.WithTenant names (notes), on one that a function of the application finds
// (projects), and on who is asking (ctx=). Nobody is served what was cached for somebody
// else, and where the context says nothing the source answers.
package tenancy

import "context"

//go:generate go tool cachegen

// NoteRepo stores one note for each id, in each tenant.
//
//cachegen:repo name=notes ttl=10m negative=1m tenant=ctx
type NoteRepo interface {
	// Get returns a note, "" when there is none.
	//
	//cachegen:read tag=note:{id}
	Get(ctx context.Context, id int64) (string, error)

	// Set stores a note.
	//
	//cachegen:write drop=note:{id}
	Set(ctx context.Context, id int64, text string) error
}
