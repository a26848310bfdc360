package cascades

import (
	"context"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Database has three tables with a foreign key and a trigger between them.
type Database struct {
	memdb.Calls
	authors memdb.Table[int64, Author]
	books   memdb.Table[int64, Book]
	orders  memdb.Table[int64, int]
}

// Authors, Books and Orders are the repositories over it.
type (
	Authors struct{ *Database }
	Books   struct{ *Database }
	Orders  struct{ *Database }
)

func (r Authors) ByID(_ context.Context, id int64) (*Author, error) {
	r.Called("Authors.ByID")
	if author, ok := r.authors.Get(id); ok {
		return &author, nil
	}
	return nil, nil
}

func (r Authors) Save(_ context.Context, a Author) error {
	r.authors.Put(a.ID, a)
	return nil
}

func (r Authors) Delete(_ context.Context, id int64) error {
	r.authors.Delete(id)
	for _, book := range r.books.Select(func(b Book) bool { return b.AuthorID == id }) {
		r.books.Delete(book.ID)
	}
	return nil
}

func (r Books) ByID(_ context.Context, id int64) (*Book, error) {
	r.Called("Books.ByID")
	book, ok := r.books.Get(id)
	if !ok {
		return nil, nil
	}
	author, _ := r.authors.Get(book.AuthorID)
	book.AuthorName = author.Name
	return &book, nil
}

func (r Books) Count(context.Context) (int, error) {
	r.Called("Books.Count")
	return len(r.books.Select(memdb.Any)), nil
}

func (r Books) Save(_ context.Context, b Book) error {
	r.books.Put(b.ID, b)
	return nil
}

func (r Orders) Total(_ context.Context, customer int64) (int, error) {
	r.Called("Orders.Total")
	copies, _ := r.orders.Get(customer)
	return copies, nil
}

func (r Orders) Place(_ context.Context, customer, book int64, copies int) error {
	had, _ := r.orders.Get(customer)
	r.orders.Put(customer, had+copies)
	r.books.Change(book, func(b *Book) { b.Sold += copies })
	return nil
}
