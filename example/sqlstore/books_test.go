package sqlstore_test

import (
	"errors"
	"reflect"
	"testing"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/example/sqlstore"
)

func TestBook(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		ctx, shop := t.Context(), db.Repos()
		author := must(shop.Authors.Create(ctx, bookshop.Author{Name: "Frank Herbert"}))(t)
		created := must(shop.Books.Create(ctx, dune(author.ID)))(t)

		want := dune(author.ID)
		want.ID, want.Version, want.UpdatedAt = created.ID, 1, created.UpdatedAt
		if !reflect.DeepEqual(*created, want) {
			t.Errorf("created %+v, want %+v", *created, want)
		}
		for name, read := range map[string]func() (*bookshop.Book, error){
			"ByID":   func() (*bookshop.Book, error) { return shop.Books.ByID(ctx, created.ID) },
			"ByISBN": func() (*bookshop.Book, error) { return shop.Books.ByISBN(ctx, created.ISBN) },
		} {
			if got := must(read())(t); !reflect.DeepEqual(got, created) {
				t.Errorf("%s gives %+v, the returned row was %+v", name, *got, *created)
			}
		}

		renamed := must(shop.Books.Rename(ctx, created.ID, "Dune Messiah"))(t)
		if renamed.Title != "Dune Messiah" || renamed.Version != 2 {
			t.Errorf("Rename returned %q, version %d", renamed.Title, renamed.Version)
		}
		stocked := must(shop.Books.Restock(ctx, created.ID, 5))(t)
		if stocked.Stock != 8 || stocked.Version != 3 || stocked.Title != "Dune Messiah" {
			t.Errorf("Restock returned stock %d, version %d, %q", stocked.Stock, stocked.Version, stocked.Title)
		}

		if err := shop.Books.Delete(ctx, created.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := shop.Books.ByID(ctx, created.ID); err != bookshop.ErrNotFound {
			t.Errorf("a deleted book gives %v, want the bare ErrNotFound", err)
		}
		if err := shop.Books.Delete(ctx, created.ID); !errors.Is(err, bookshop.ErrNotFound) {
			t.Errorf("deleting it again gives %v", err)
		}
	})
}

func TestListsOfBooks(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		ctx, books := t.Context(), db.Repos().Books
		if n := must(db.Seed(ctx, 45))(t); n != 45 {
			t.Fatalf("seeded %d books", n)
		}
		if n := must(db.Seed(ctx, 90))(t); n != 45 {
			t.Errorf("seeding a shop that has books made it %d", n)
		}
		if n := must(books.CountByAuthor(ctx, 1))(t); n != 20 {
			t.Errorf("author 1 has %d books, want 20", n)
		}
		all := must(books.ListByAuthor(ctx, 1, bookshop.Page{Limit: 50}))(t)
		tail := must(books.ListByAuthor(ctx, 1, bookshop.Page{Offset: 15, Limit: 50}))(t)
		if len(all) != 20 || !reflect.DeepEqual(all[15:], tail) {
			t.Errorf("a list of %d books, its second page of %d", len(all), len(tail))
		}
		for i := 1; i < len(all); i++ {
			if all[i].PublishedAt.After(all[i-1].PublishedAt) {
				t.Errorf("book %d of the list is newer than the one before", i)
			}
		}
		found := must(books.Search(ctx, "gArden", 100))(t)
		if len(found) == 0 {
			t.Error("no garden found")
		}
		if found := must(books.Search(ctx, "%", 1))(t); len(found) != 0 {
			t.Error("a percent sign matched everything")
		}
	})
}

func TestDeletingAnAuthorDeletesTheBooks(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		ctx, shop := t.Context(), db.Repos()
		must(db.Seed(ctx, 21))(t)
		if err := shop.Authors.Delete(ctx, 1); err != nil {
			t.Fatal(err)
		}
		if _, err := shop.Books.ByID(ctx, 20); err != bookshop.ErrNotFound {
			t.Errorf("a book of the deleted author gives %v", err)
		}
		must(shop.Books.ByID(ctx, 21))(t)
		if err := shop.Authors.Delete(ctx, 1); err != bookshop.ErrNotFound {
			t.Errorf("deleting the author again gives %v", err)
		}
		renamed := must(shop.Authors.Rename(ctx, 2, "B. Traven"))(t)
		if got := must(shop.Authors.ByID(ctx, 2))(t); *got != *renamed || got.Name != "B. Traven" {
			t.Errorf("renamed to %+v, read %+v", *renamed, *got)
		}
	})
}

func TestQueriesAreCounted(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		ctx, shop := t.Context(), db.Repos()
		must(db.Seed(ctx, 1))(t)
		before := db.Queries()
		must(shop.Books.ByID(ctx, 1))(t)
		must(shop.Books.Restock(ctx, 1, 1))(t)
		must(shop.Orders.Place(ctx, bookshop.Order{BookID: 1, Copies: 1}))(t) // two in a transaction
		if n := db.Queries() - before; n != 4 {
			t.Errorf("%d statements counted, want 4", n)
		}
	})
}
