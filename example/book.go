package bookshop

import (
	"context"
	"time"
)

// Book is one title of the catalogue.
type Book struct {
	ID             int64      `db:"id" json:"id"`
	AuthorID       int64      `db:"author_id" json:"author_id"`
	ISBN           string     `db:"isbn" json:"isbn"`
	Title          string     `db:"title" json:"title"`
	Summary        string     `db:"summary" json:"summary"`
	Tags           []string   `db:"-" json:"tags"` // one JSON column, see sqlstore
	Pages          int        `db:"pages" json:"pages"`
	PriceCents     int64      `db:"price_cents" json:"price_cents"`
	Stock          int        `db:"stock" json:"stock"`
	PublishedAt    time.Time  `db:"published_at" json:"published_at"`
	DiscontinuedAt *time.Time `db:"discontinued_at" json:"discontinued_at,omitempty"`
	UpdatedAt      time.Time  `db:"updated_at" json:"updated_at"`
	// Version grows by one with every change of the row. The cache does not need it; the
	// demo uses it to prove that nobody is handed an old row.
	Version int64 `db:"version" json:"version"`
}

// BookRepo stores books. Book pages are read all day and change now and then: ten minutes.
//
//cachegen:repo name=books ttl=10m negative=30s notfound=ErrNotFound
type BookRepo interface {
	// ByID returns one book, or ErrNotFound (remembered too, for the 30 s of negative=).
	//
	//cachegen:read tag=book:{id}
	ByID(ctx context.Context, id int64) (*Book, error)

	// ByISBN returns the book with that ISBN, or ErrNotFound. It depends on the ISBN (one
	// that is unknown today may be created tomorrow) and on the book it found.
	//
	//cachegen:read tag=isbn:{isbn} tag=book:{ret.ID}
	ByISBN(ctx context.Context, isbn string) (*Book, error)

	// ListByAuthor returns one page of an author's books, newest first. It goes stale when
	// the author gets or loses a book (author) and when a listed book changes (row).
	//
	//cachegen:read ttl=1m tag=author:{author} tag=book:{row.ID}
	ListByAuthor(ctx context.Context, author int64, page Page) ([]Book, error)

	// CountByAuthor returns how many books an author has. Renaming one changes nothing here.
	//
	//cachegen:read tag=author:{author}
	CountByAuthor(ctx context.Context, author int64) (int, error)

	// Create adds a book and returns it as the database holds it, which is what the cache
	// keeps: put= stores the returned row, so the first reader already hits.
	//
	//cachegen:write put=ByID(ret.ID) drop=author:{b.AuthorID} drop=isbn:{b.ISBN}
	Create(ctx context.Context, b Book) (*Book, error)

	// Rename changes the title and returns the row.
	//
	//cachegen:write put=ByID(id) drop=book:{id}
	Rename(ctx context.Context, id int64, title string) (*Book, error)

	// Restock adds copies (or takes some away) and returns the row.
	//
	//cachegen:write put=ByID(id) drop=book:{id}
	Restock(ctx context.Context, id int64, copies int) (*Book, error)

	// Delete removes a book. Whose list and which ISBN it leaves is written in the row that
	// is about to go, so old= reads it first.
	//
	//cachegen:write old=ByID(id) drop=book:{id} drop=author:{old.AuthorID} drop=isbn:{old.ISBN}
	Delete(ctx context.Context, id int64) error

	// Search finds books by a part of their title.
	//
	//cachegen:pass "reason=free text: almost every query is a new key, and any change of any title could change the answer"
	Search(ctx context.Context, text string, limit int) ([]Book, error)
}
