package bookshop

import (
	"encoding/json"
	"slices"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// Cached returns repos with cache in front of them. This is all the wiring there is.
func Cached(repos Repos, cache *cachert.Cache) Repos {
	return Repos{
		Books:    NewCachedBookRepo(repos.Books, cache),
		Authors:  NewCachedAuthorRepo(repos.Authors, cache),
		Orders:   NewCachedOrderRepo(repos.Orders, cache),
		Sessions: NewCachedSessionRepo(repos.Sessions, cache),
	}
}

// The wrappers (*_cached.go) and this codec are written by hand, line for line what the
// directives say, and go when the generator writes them.

// jsonCodec encodes values as JSON, which loses nothing of the types of this package. A nil
// clone says that values hold no pointers and may be shared.
func jsonCodec[V any](clone func(V) V) cachert.Codec[V] {
	return cachert.Codec[V]{
		Append: func(b []byte, v V) ([]byte, error) {
			text, err := json.Marshal(v)
			return append(b, text...), err
		},
		Decode: func(b []byte) (v V, err error) { return v, json.Unmarshal(b, &v) },
		Clone:  clone,
	}
}

func clonePtr[T any](v *T) *T {
	if v == nil {
		return nil
	}
	c := *v
	return &c
}

func cloneBook(b *Book) *Book {
	c := clonePtr(b)
	if c != nil {
		c.Tags = slices.Clone(b.Tags)
		c.DiscontinuedAt = clonePtr(b.DiscontinuedAt)
	}
	return c
}

func cloneBooks(books []Book) []Book {
	c := slices.Clone(books)
	for i := range c {
		c[i] = *cloneBook(&c[i])
	}
	return c
}

func keyPage(a *cachert.Args, p Page) *cachert.Args {
	return a.Open().Int(int64(p.Offset)).Int(int64(p.Limit)).Close()
}
