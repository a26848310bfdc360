package sqlstore

import (
	"context"
	"database/sql/driver"
	"encoding/json"
	"fmt"
	"strings"

	bookshop "github.com/cachegen/cachegen/example"
)

type bookRepo struct{ db *DB }

const bookColumns = "id, author_id, isbn, title, summary, tags, pages, price_cents, stock, " +
	"published_at, discontinued_at, updated_at, version"

func (r bookRepo) ByID(ctx context.Context, id int64) (*bookshop.Book, error) {
	return oneBook(ctx, r.db.reader(ctx), "SELECT "+bookColumns+" FROM books WHERE id = ?", id)
}

func (r bookRepo) ByISBN(ctx context.Context, isbn string) (*bookshop.Book, error) {
	return oneBook(ctx, r.db.reader(ctx), "SELECT "+bookColumns+" FROM books WHERE isbn = ?", isbn)
}

func (r bookRepo) ListByAuthor(ctx context.Context, author int64, page bookshop.Page) ([]bookshop.Book, error) {
	return manyBooks(ctx, r.db.reader(ctx),
		"SELECT "+bookColumns+" FROM books WHERE author_id = ? ORDER BY published_at DESC, id DESC LIMIT ? OFFSET ?",
		author, page.Limit, page.Offset)
}

func (r bookRepo) CountByAuthor(ctx context.Context, author int64) (n int, err error) {
	err = get(ctx, r.db.reader(ctx), &n, "SELECT count(*) FROM books WHERE author_id = ?", author)
	return n, err
}

func (r bookRepo) Create(ctx context.Context, b bookshop.Book) (*bookshop.Book, error) {
	return oneBook(ctx, r.db.writer(ctx),
		"INSERT INTO books (author_id, isbn, title, summary, tags, pages, price_cents, stock, "+
			"published_at, discontinued_at, updated_at, version) "+
			"VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) RETURNING "+bookColumns,
		b.AuthorID, b.ISBN, b.Title, b.Summary, tagList(b.Tags), b.Pages, b.PriceCents, b.Stock,
		b.PublishedAt.UTC(), utc(b.DiscontinuedAt), now())
}

func (r bookRepo) Rename(ctx context.Context, id int64, title string) (*bookshop.Book, error) {
	return oneBook(ctx, r.db.writer(ctx),
		"UPDATE books SET title = ?, updated_at = ?, version = version + 1 WHERE id = ? RETURNING "+bookColumns,
		title, now(), id)
}

func (r bookRepo) Restock(ctx context.Context, id int64, copies int) (*bookshop.Book, error) {
	return oneBook(ctx, r.db.writer(ctx),
		"UPDATE books SET stock = stock + ?, updated_at = ?, version = version + 1 WHERE id = ? RETURNING "+bookColumns,
		copies, now(), id)
}

func (r bookRepo) Delete(ctx context.Context, id int64) error {
	n, err := exec(ctx, r.db.writer(ctx), "DELETE FROM books WHERE id = ?", id)
	if err == nil && n == 0 {
		return bookshop.ErrNotFound
	}
	return err
}

func (r bookRepo) Search(ctx context.Context, text string, limit int) ([]bookshop.Book, error) {
	escape := strings.NewReplacer(`\`, `\\`, `%`, `\%`, `_`, `\_`)
	return manyBooks(ctx, r.db.reader(ctx),
		"SELECT "+bookColumns+` FROM books WHERE lower(title) LIKE ? ESCAPE '\' ORDER BY id LIMIT ?`,
		"%"+escape.Replace(strings.ToLower(text))+"%", limit)
}

// bookRow is a book as its columns hold it.
type bookRow struct {
	bookshop.Book
	TagList tagList `db:"tags"`
}

func (r bookRow) book() bookshop.Book {
	b := r.Book
	b.Tags = r.TagList
	b.PublishedAt, b.UpdatedAt = b.PublishedAt.UTC(), b.UpdatedAt.UTC()
	b.DiscontinuedAt = utc(b.DiscontinuedAt)
	return b
}

func oneBook(ctx context.Context, q querier, query string, args ...any) (*bookshop.Book, error) {
	var row bookRow
	if err := get(ctx, q, &row, query, args...); err != nil {
		return nil, err
	}
	book := row.book()
	return &book, nil
}

func manyBooks(ctx context.Context, q querier, query string, args ...any) ([]bookshop.Book, error) {
	var rows []bookRow
	if err := list(ctx, q, &rows, query, args...); err != nil {
		return nil, err
	}
	books := make([]bookshop.Book, len(rows))
	for i, row := range rows {
		books[i] = row.book()
	}
	return books, nil
}

// tagList keeps a list of words in one text column, as JSON.
type tagList []string

func (l tagList) Value() (driver.Value, error) {
	text, err := json.Marshal([]string(l))
	return string(text), err
}

func (l *tagList) Scan(column any) error {
	switch text := column.(type) {
	case string:
		return json.Unmarshal([]byte(text), (*[]string)(l))
	case []byte:
		return json.Unmarshal(text, (*[]string)(l))
	}
	return fmt.Errorf("sqlstore: tags are %T, not text", column)
}
