// Package updater pins writes that take a function from the old row to the new one. Such a
// function may call the store again, also through the wrapper, and the source may run it
// twice: no lock is held across it, and what counts is what the source returned.
package updater

import (
	"context"
	"errors"
)

//go:generate go tool cachegen

// ErrGone says that there is no such article.
var ErrGone = errors.New("no such article")

// Article is a row.
type Article struct {
	ID      int64
	Text    string
	Related []int64
	Version int
}

// ArticleRepo stores articles.
//
//cachegen:repo name=articles ttl=10m negative=1m notfound=ErrGone
type ArticleRepo interface {
	// Get returns an article, or ErrGone.
	//
	//cachegen:read tag=article:{id}
	Get(ctx context.Context, id int64) (Article, error)

	// Update replaces an article by what edit makes of it, and runs edit again when another
	// update came in between.
	//
	//cachegen:write put=Get(id) drop=article:{id}
	Update(ctx context.Context, id int64, edit func(old Article) (Article, error)) (Article, error)

	// Edit is Update without a result and with a row that edit changes in place.
	//
	//cachegen:write put=Get(id) value=reload
	Edit(ctx context.Context, id int64, edit func(row *Article)) error

	// Put stores an article, new or not.
	//
	//cachegen:write drop=article:{a.ID}
	Put(ctx context.Context, a Article) error
}
