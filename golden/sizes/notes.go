// Package sizes pins maxsize=: what is larger is returned and not stored.
package sizes

import "context"

//go:generate go tool cachegen

// Note is a row.
type Note struct {
	ID   int64
	Text string
}

// NoteRepo stores notes.
//
//cachegen:repo name=sizes ttl=10m maxsize=64KB
type NoteRepo interface {
	// ByID returns a note, nil when there is none.
	//
	//cachegen:read tag=note:{id} maxsize=1000B
	ByID(ctx context.Context, id int64) (*Note, error)

	// All returns all notes; its entry may be as large as the repository says.
	//
	//cachegen:read tag=all
	All(ctx context.Context) ([]Note, error)

	// Save stores a note.
	//
	//cachegen:write drop=note:{n.ID} drop=all put=ByID(n.ID) value=arg
	Save(ctx context.Context, n *Note) error
}
