package sqlstore_test

import (
	"context"
	"errors"
	"testing"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/example/sqlstore"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// cachedShop is the shop of an example with two books behind a cache.
func cachedShop(t *testing.T, db *sqlstore.DB) (bookshop.Repos, *cachert.Cache) {
	t.Helper()
	must(db.Seed(t.Context(), 2))(t) // with 1000 copies each
	cache := must(cachert.Open(cachert.Options{Namespace: "test"}))(t)
	t.Cleanup(func() { _ = cache.Close() })
	return bookshop.Cached(db.Repos(), cache), cache
}

// A transaction over two repositories is seen as a whole: by readers of the cache only after
// it was committed, and not at all when it was rolled back.
func TestTransactionBehindACache(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		shop, cache := cachedShop(t, db)
		ctx := t.Context()
		stock := func(ctx context.Context, book int64) int { return must(shop.Books.ByID(ctx, book))(t).Stock }
		place := func(ctx context.Context, book int64, copies int) error {
			_, err := shop.Orders.Place(ctx, bookshop.Order{CustomerID: 7, BookID: book, Copies: copies})
			return err
		}
		cart := func(first, second int) error {
			return shop.Atomically(ctx, func(ctx context.Context) error {
				if err := place(ctx, 1, first); err != nil {
					return err
				}
				if n := stock(ctx, 1); n != 1000-first {
					t.Errorf("inside the transaction the stock is %d, want %d", n, 1000-first)
				}
				if n := stock(t.Context(), 1); n != 1000 {
					t.Errorf("outside of it the stock is %d, want 1000", n)
				}
				return place(ctx, 2, second)
			})
		}
		stock(ctx, 1)
		stock(ctx, 2)
		if err := cache.Drain(ctx); err != nil {
			t.Fatal(err)
		}
		queries := db.Queries()
		if err := cart(1, 2000); !errors.Is(err, bookshop.ErrOutOfStock) {
			t.Errorf("a cart of more than there is gives %v", err)
		}
		rolledBack := db.Queries()
		if a, b := stock(ctx, 1), stock(ctx, 2); a != 1000 || b != 1000 {
			t.Errorf("stock after a rollback: %d and %d, want 1000", a, b)
		}
		if n := db.Queries() - rolledBack; n != 0 {
			t.Errorf("%d queries after a rollback (of %d in all): it should cost the cache nothing", n, db.Queries()-queries)
		}
		if err := cart(100, 200); err != nil {
			t.Fatal(err)
		}
		if a, b := stock(ctx, 1), stock(ctx, 2); a != 900 || b != 800 {
			t.Errorf("stock after a commit: %d and %d, want 900 and 800", a, b)
		}
		mine := must(shop.Orders.Mine(bookshop.WithCustomer(ctx, 7), bookshop.Page{Limit: 10}))(t)
		if len(mine) != 2 {
			t.Errorf("%d orders, want the two of the cart", len(mine))
		}
	})
}

// What an inner transaction would have stored is rolled back with it, though the outer one
// is committed.
func TestInnerTransactionRolledBackBehindACache(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		shop, _ := cachedShop(t, db)
		failed := errors.New("changed my mind")
		err := shop.Atomically(t.Context(), func(ctx context.Context) error {
			must(shop.Books.Rename(ctx, 1, "outer"))(t)
			err := shop.Atomically(ctx, func(ctx context.Context) error {
				must(shop.Books.Rename(ctx, 1, "inner"))(t)
				must(shop.Books.Rename(ctx, 2, "inner"))(t)
				return failed
			})
			if err != failed {
				t.Errorf("the inner transaction gives %v", err)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if b := must(shop.Books.ByID(t.Context(), 1))(t); b.Title != "outer" {
			t.Errorf("title %q, want the outer one", b.Title)
		}
		if b := must(shop.Books.ByID(t.Context(), 2))(t); b.Title == "inner" {
			t.Error("a title that was rolled back is read")
		}
	})
}
