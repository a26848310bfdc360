// Package items is the repository that the checker checks the layer with: rows that are looked
// up by key, in lists and through an index, that come and go, and whose every state has a version.
package items

import (
	"context"
	"errors"
)

//go:generate go tool cachegen

// The errors of a source.
var (
	ErrNotFound = errors.New("items: not found")
	ErrExists   = errors.New("items: there already")
)

// Item is a row. Value is a token that each write makes anew.
type Item struct {
	ID, Shelf, Name int64
	Version, Value  int64
}

// Named is the answer of the index, which has a version of its own.
type Named struct {
	Item        Item
	NameVersion int64
}

// Count is the version that a write has given a shelf or a name.
type Count struct{ ID, Version int64 }

// Touched are the lists and the index entry that a write has changed. An ID of 0: none.
type Touched struct{ Shelf, Left, Name Count }

// Items is what is cached, at the level that the repositories below name. A change of a row
// leaves its shelf's version alone; what comes to a shelf or leaves it does not.
type Items interface {
	// ByID returns one item, or ErrNotFound.
	//
	//cachegen:read tag=item:{id}
	ByID(ctx context.Context, id int64) (*Item, error)

	// OnShelf lists a shelf, and returns the shelf's version.
	//
	//cachegen:read tag=shelf:{shelf} tag=item:{row.ID}
	OnShelf(ctx context.Context, shelf int64) ([]Item, int64, error)

	// ByName looks an item up in the index.
	//
	//cachegen:read tag=name:{name} tag=item:{ret.Item.ID}
	ByName(ctx context.Context, name int64) (*Named, error)

	// Create puts an item on a shelf, or returns ErrExists. Its name is the one it always had.
	//
	//cachegen:write put=ByID(id) drop=item:{id} drop=shelf:{shelf} drop=name:{name}
	Create(ctx context.Context, id, shelf, name, value int64) (*Item, Touched, error)

	// Update gives an item another value.
	//
	//cachegen:write put=ByID(id) drop=item:{id}
	Update(ctx context.Context, id, value int64) (*Item, error)

	// Move puts an item on another shelf.
	//
	//cachegen:write old=ByID(id) put=ByID(id) drop=item:{id} drop=shelf:{shelf} drop=shelf:{old.Shelf}
	Move(ctx context.Context, id, shelf, value int64) (*Item, Touched, error)

	// Delete takes an item away and returns its last version.
	//
	//cachegen:write old=ByID(id) drop=item:{id} drop=shelf:{old.Shelf} drop=name:{old.Name}
	Delete(ctx context.Context, id int64) (int64, Touched, error)
}

// EventualItems is Items for answers as old as the TTL.
//
//cachegen:repo name=eventual ttl=2s jitter=0% negative=2s notfound=ErrNotFound level=eventual
type EventualItems interface{ Items }

// BoundedItems is Items for answers that are as old as an invalidation needs.
//
//cachegen:repo name=bounded ttl=5m negative=5m notfound=ErrNotFound level=bounded
type BoundedItems interface{ Items }

// SessionItems is Items for processes that see what they have written and read.
//
//cachegen:repo name=session ttl=5m negative=5m notfound=ErrNotFound level=session
type SessionItems interface{ Items }

// StrictItems is Items for answers that are never old.
//
//cachegen:repo name=strict ttl=5m negative=5m notfound=ErrNotFound level=strict
type StrictItems interface{ Items }

// LeasedItems is StrictItems whose answers come from the process, and whose writes wait for that.
//
//cachegen:repo name=leased ttl=5m negative=5m notfound=ErrNotFound level=leased staleness=20ms
type LeasedItems interface{ Items }

// FirmItems is SessionItems without writes that the store has not been told of beforehand.
//
//cachegen:repo name=firm ttl=5m negative=5m notfound=ErrNotFound level=session onerror=fail
type FirmItems interface{ Items }
