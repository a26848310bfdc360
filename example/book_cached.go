package bookshop

import (
	"context"
	"errors"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// CachedBookRepo is BookRepo with a cache in front of it. Repository "books", level session.
//
//	method         kind   ttl  depends on / drops
//	ByID           read   10m  book:{id}
//	ByISBN         read   10m  isbn:{isbn} book:{ret.ID}
//	ListByAuthor   read   1m   author:{author} book:{row.ID}
//	CountByAuthor  read   10m  author:{author}
//	Create         write       drops author:{b.AuthorID} isbn:{b.ISBN}; puts ByID(ret.ID) from the returned row
//	Rename         write       drops book:{id}; puts ByID(id) from the returned row
//	Restock        write       drops book:{id}; puts ByID(id) from the returned row
//	Delete         write       drops book:{id} author:{old.AuthorID} isbn:{old.ISBN}
//	Search         pass
type CachedBookRepo struct {
	src           BookRepo
	byID          *cachert.Reader[*Book]
	byISBN        *cachert.Reader[*Book]
	listByAuthor  *cachert.Reader[[]Book]
	countByAuthor *cachert.Reader[int]
	create        *cachert.Writer
	rename        *cachert.Writer
	restock       *cachert.Writer
	delete        *cachert.Writer
}

var _ BookRepo = (*CachedBookRepo)(nil)

// NewCachedBookRepo puts cache in front of src.
func NewCachedBookRepo(src BookRepo, cache *cachert.Cache) *CachedBookRepo {
	repo := cache.Repo(cachert.RepoPolicy{Name: "books"})
	book := func(method string) *cachert.Reader[*Book] {
		return cachert.NewReader(repo, cachert.ReadPolicy[*Book]{
			Method: method, Key: method, Schema: "1", TTL: 10 * time.Minute, Jitter: 0.1,
			Negative: 30 * time.Second, NotFound: []error{ErrNotFound}, Absent: cachert.IsNil[Book],
			Codec: jsonCodec(cloneBook),
		})
	}
	return &CachedBookRepo{
		src:    src,
		byID:   book("ByID"),
		byISBN: book("ByISBN"),
		listByAuthor: cachert.NewReader(repo, cachert.ReadPolicy[[]Book]{
			Method: "ListByAuthor", Key: "ListByAuthor", Schema: "1", TTL: time.Minute, Jitter: 0.1,
			Codec: jsonCodec(cloneBooks),
		}),
		countByAuthor: cachert.NewReader(repo, cachert.ReadPolicy[int]{
			Method: "CountByAuthor", Key: "CountByAuthor", Schema: "1", TTL: 10 * time.Minute, Jitter: 0.1,
			Codec: jsonCodec[int](nil),
		}),
		create:  cachert.NewWriter(repo, cachert.WritePolicy{Method: "Create"}),
		rename:  cachert.NewWriter(repo, cachert.WritePolicy{Method: "Rename"}),
		restock: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Restock"}),
		delete:  cachert.NewWriter(repo, cachert.WritePolicy{Method: "Delete"}),
	}
}

// ByID returns one book, or ErrNotFound.
func (c *CachedBookRepo) ByID(ctx context.Context, id int64) (*Book, error) {
	return c.byID.Get(ctx, c.byIDCall(id), func(ctx context.Context) (*Book, error) {
		return c.src.ByID(ctx, id)
	})
}

func (c *CachedBookRepo) byIDCall(id int64) cachert.Call[*Book] {
	return cachert.Call[*Book]{
		Key:  cachert.NewArgs().Int(id),
		Tags: func(t *cachert.Tags) { t.Tag("books/book").Int(id) },
	}
}

// ByISBN returns the book with that ISBN, or ErrNotFound.
func (c *CachedBookRepo) ByISBN(ctx context.Context, isbn string) (*Book, error) {
	return c.byISBN.Get(ctx, cachert.Call[*Book]{
		Key:  cachert.NewArgs().Str(isbn),
		Tags: func(t *cachert.Tags) { t.Tag("books/isbn").Str(isbn) },
		Rows: func(ret *Book, t *cachert.Tags) {
			if ret != nil {
				t.Tag("books/book").Int(ret.ID)
			}
		},
	}, func(ctx context.Context) (*Book, error) {
		return c.src.ByISBN(ctx, isbn)
	})
}

// ListByAuthor returns one page of an author's books, newest first.
func (c *CachedBookRepo) ListByAuthor(ctx context.Context, author int64, page Page) ([]Book, error) {
	return c.listByAuthor.Get(ctx, cachert.Call[[]Book]{
		Key:  keyPage(cachert.NewArgs().Int(author), page),
		Tags: func(t *cachert.Tags) { t.Tag("books/author").Int(author) },
		Rows: func(ret []Book, t *cachert.Tags) {
			for _, row := range ret {
				t.Tag("books/book").Int(row.ID)
			}
		},
	}, func(ctx context.Context) ([]Book, error) {
		return c.src.ListByAuthor(ctx, author, page)
	})
}

// CountByAuthor returns how many books an author has.
func (c *CachedBookRepo) CountByAuthor(ctx context.Context, author int64) (int, error) {
	return c.countByAuthor.Get(ctx, cachert.Call[int]{
		Key:  cachert.NewArgs().Int(author),
		Tags: func(t *cachert.Tags) { t.Tag("books/author").Int(author) },
	}, func(ctx context.Context) (int, error) {
		return c.src.CountByAuthor(ctx, author)
	})
}

// Create adds a book and returns it as the database holds it.
func (c *CachedBookRepo) Create(ctx context.Context, b Book) (ret *Book, err error) {
	err = c.create.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) {
			t.Tag("books/author").Int(b.AuthorID)
			t.Tag("books/isbn").Str(b.ISBN)
		},
		Run: func(ctx context.Context) error {
			ret, err = c.src.Create(ctx, b)
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

// Rename changes the title and returns the row.
func (c *CachedBookRepo) Rename(ctx context.Context, id int64, title string) (*Book, error) {
	return c.change(ctx, c.rename, id, func(ctx context.Context) (*Book, error) {
		return c.src.Rename(ctx, id, title)
	})
}

// Restock adds copies and returns the row.
func (c *CachedBookRepo) Restock(ctx context.Context, id int64, copies int) (*Book, error) {
	return c.change(ctx, c.restock, id, func(ctx context.Context) (*Book, error) {
		return c.src.Restock(ctx, id, copies)
	})
}

func (c *CachedBookRepo) change(ctx context.Context, w *cachert.Writer, id int64, run func(context.Context) (*Book, error)) (ret *Book, err error) {
	err = w.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Entry(c.byIDCall(id)) },
		Run: func(ctx context.Context) error {
			ret, err = run(ctx)
			return err
		},
		Put: func(p *cachert.Puts) { c.byID.Put(p, c.byIDCall(id), ret) },
	})
	return ret, err
}

// Delete removes a book.
func (c *CachedBookRepo) Delete(ctx context.Context, id int64) error {
	return c.delete.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Tag("books/book").Int(id) },
		Old: func(ctx context.Context, t *cachert.Tags) error {
			old, err := c.src.ByID(ctx, id)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if err != nil || old == nil {
				return err
			}
			t.Tag("books/author").Int(old.AuthorID)
			t.Tag("books/isbn").Str(old.ISBN)
			return nil
		},
		Run: func(ctx context.Context) error { return c.src.Delete(ctx, id) },
	})
}

// Search finds books by a part of their title: not cached.
func (c *CachedBookRepo) Search(ctx context.Context, text string, limit int) ([]Book, error) {
	return c.src.Search(ctx, text, limit)
}
