package sizes

import (
	"context"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Notes keeps notes in memory.
type Notes struct {
	memdb.Calls
	notes memdb.Table[int64, Note]
}

// ByID implements NoteRepo.
func (r *Notes) ByID(_ context.Context, id int64) (*Note, error) {
	r.Called("ByID")
	if n, ok := r.notes.Get(id); ok {
		return &n, nil
	}
	return nil, nil
}

// All implements NoteRepo.
func (r *Notes) All(context.Context) ([]Note, error) {
	r.Called("All")
	return r.notes.Select(memdb.Any[Note]), nil
}

// Save implements NoteRepo.
func (r *Notes) Save(_ context.Context, n *Note) error {
	r.notes.Put(n.ID, *n)
	return nil
}
