package sqlstore

import (
	"context"

	bookshop "github.com/cachegen/cachegen/example"
)

type authorRepo struct{ db *DB }

func (r authorRepo) ByID(ctx context.Context, id int64) (*bookshop.Author, error) {
	return oneAuthor(ctx, r.db.reader(ctx), "SELECT id, name, bio FROM authors WHERE id = ?", id)
}

func (r authorRepo) Create(ctx context.Context, a bookshop.Author) (*bookshop.Author, error) {
	return oneAuthor(ctx, r.db.writer(ctx),
		"INSERT INTO authors (name, bio) VALUES (?, ?) RETURNING id, name, bio", a.Name, a.Bio)
}

func (r authorRepo) Rename(ctx context.Context, id int64, name string) (*bookshop.Author, error) {
	return oneAuthor(ctx, r.db.writer(ctx),
		"UPDATE authors SET name = ? WHERE id = ? RETURNING id, name, bio", name, id)
}

func (r authorRepo) Delete(ctx context.Context, id int64) error {
	n, err := exec(ctx, r.db.writer(ctx), "DELETE FROM authors WHERE id = ?", id)
	if err == nil && n == 0 {
		return bookshop.ErrNotFound
	}
	return err
}

func oneAuthor(ctx context.Context, q querier, query string, args ...any) (*bookshop.Author, error) {
	var a bookshop.Author
	if err := get(ctx, q, &a, query, args...); err != nil {
		return nil, err
	}
	return &a, nil
}
