package bookshop

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// CachedAuthorRepo is AuthorRepo with a cache in front of it. Repository "authors", level session.
//
//	method  kind   ttl  depends on / drops
//	ByID    read   1h   author:{id}
//	Create  write       puts ByID(ret.ID) from the returned row
//	Rename  write       drops author:{id}; puts ByID(id) from the returned row
//	Delete  write       drops author:{id} books/*
type CachedAuthorRepo struct {
	src    AuthorRepo
	byID   *cachert.Reader[*Author]
	create *cachert.Writer
	rename *cachert.Writer
	delete *cachert.Writer
}

var _ AuthorRepo = (*CachedAuthorRepo)(nil)

// NewCachedAuthorRepo puts cache in front of src.
func NewCachedAuthorRepo(src AuthorRepo, cache *cachert.Cache) *CachedAuthorRepo {
	repo := cache.Repo(cachert.RepoPolicy{Name: "authors"})
	return &CachedAuthorRepo{
		src: src,
		byID: cachert.NewReader(repo, cachert.ReadPolicy[*Author]{
			Method: "ByID", Key: "ByID", Schema: "1", TTL: time.Hour, Jitter: 0.1,
			Negative: time.Minute, NotFound: []error{ErrNotFound}, Absent: cachert.IsNil[Author],
			Codec: jsonCodec(clonePtr[Author]),
		}),
		create: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Create"}),
		rename: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Rename"}),
		delete: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Delete"}),
	}
}

// ByID returns one author, or ErrNotFound.
func (c *CachedAuthorRepo) ByID(ctx context.Context, id int64) (*Author, error) {
	return c.byID.Get(ctx, c.byIDCall(id), func(ctx context.Context) (*Author, error) {
		return c.src.ByID(ctx, id)
	})
}

func (c *CachedAuthorRepo) byIDCall(id int64) cachert.Call[*Author] {
	return cachert.Call[*Author]{
		Key:  cachert.NewArgs().Int(id),
		Tags: func(t *cachert.Tags) { t.Tag("authors/author").Int(id) },
	}
}

// Create adds an author.
func (c *CachedAuthorRepo) Create(ctx context.Context, a Author) (ret *Author, err error) {
	err = c.create.Do(ctx, cachert.Change{
		Run: func(ctx context.Context) error {
			ret, err = c.src.Create(ctx, a)
			return err
		},
		After: func(t *cachert.Tags) {
			if ret != nil {
				t.Entry(c.byIDCall(ret.ID))
			}
		},
		Put: func(p *cachert.Puts) {
			if ret != nil {
				c.byID.Put(p, c.byIDCall(ret.ID), ret)
			}
		},
	})
	return ret, err
}

// Rename changes the name.
func (c *CachedAuthorRepo) Rename(ctx context.Context, id int64, name string) (ret *Author, err error) {
	err = c.rename.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Entry(c.byIDCall(id)) },
		Run: func(ctx context.Context) error {
			ret, err = c.src.Rename(ctx, id, name)
			return err
		},
		Put: func(p *cachert.Puts) { c.byID.Put(p, c.byIDCall(id), ret) },
	})
	return ret, err
}

// Delete removes an author, and the database the author's books with the row.
func (c *CachedAuthorRepo) Delete(ctx context.Context, id int64) error {
	return c.delete.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) {
			t.Tag("authors/author").Int(id)
			t.All("books")
		},
		Run: func(ctx context.Context) error { return c.src.Delete(ctx, id) },
	})
}
