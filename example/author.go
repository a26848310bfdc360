package bookshop

import "context"

// Author is a person who writes books.
type Author struct {
	ID   int64  `db:"id" json:"id"`
	Name string `db:"name" json:"name"`
	Bio  string `db:"bio" json:"bio"`
}

// AuthorRepo stores authors. They hardly ever change: an hour.
//
//cachegen:repo name=authors ttl=1h negative=1m notfound=ErrNotFound
type AuthorRepo interface {
	// ByID returns one author, or ErrNotFound.
	//
	//cachegen:read tag=author:{id}
	ByID(ctx context.Context, id int64) (*Author, error)

	// Create adds an author.
	//
	//cachegen:write put=ByID(ret.ID)
	Create(ctx context.Context, a Author) (*Author, error)

	// Rename changes the name.
	//
	//cachegen:write put=ByID(id) drop=author:{id}
	Rename(ctx context.Context, id int64, name string) (*Author, error)

	// Delete removes an author, and the database removes the author's books with the row
	// (ON DELETE CASCADE). Which books those are the call does not say, so the whole
	// repository of books starts anew: one step, however much is cached.
	//
	//cachegen:write drop=author:{id} drop=books/*
	Delete(ctx context.Context, id int64) error
}
