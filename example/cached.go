package bookshop

import (
	"context"

	"github.com/cachegen/cachegen/runtime/cachert"
)

//go:generate go tool cachegen

// Cached returns repos with cache in front of them. This is all the wiring there is.
func Cached(repos Repos, cache *cachert.Cache) Repos {
	return Repos{
		Books:    NewCachedBookRepo(repos.Books, cache),
		Authors:  NewCachedAuthorRepo(repos.Authors, cache),
		Orders:   NewCachedOrderRepo(repos.Orders, cache),
		Sessions: NewCachedSessionRepo(repos.Sessions, cache),
		Atomically: func(ctx context.Context, body func(context.Context) error) error {
			return cache.Transact(ctx, repos.Atomically, body)
		},
	}
}
