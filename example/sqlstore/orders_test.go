package sqlstore_test

import (
	"errors"
	"testing"
	"time"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/example/sqlstore"
)

func TestOrder(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		ctx, shop := t.Context(), db.Repos()
		must(db.Seed(ctx, 1))(t) // with 1000 copies
		stock := func() int { return must(shop.Books.ByID(ctx, 1))(t).Stock }

		placed := must(shop.Orders.Place(ctx, bookshop.Order{CustomerID: 7, BookID: 1, Copies: 600}))(t)
		if got := must(shop.Orders.ByID(ctx, placed.ID))(t); *got != *placed {
			t.Errorf("placed %+v, read %+v", *placed, *got)
		}
		if n := stock(); n != 400 {
			t.Errorf("stock after the order: %d, want 400", n)
		}
		if _, err := shop.Orders.Place(ctx, bookshop.Order{CustomerID: 7, BookID: 1, Copies: 600}); !errors.Is(err, bookshop.ErrOutOfStock) {
			t.Errorf("an order of more than there is gives %v", err)
		}
		must(shop.Orders.Cancel(ctx, placed.ID))(t)
		if n := stock(); n != 1000 {
			t.Errorf("stock after the cancellation: %d, want 1000", n)
		}
		if _, err := shop.Orders.Cancel(ctx, placed.ID); !errors.Is(err, bookshop.ErrNotFound) || stock() != 1000 {
			t.Errorf("cancelling twice gives %v and stock %d", err, stock())
		}

		second := must(shop.Orders.Place(ctx, bookshop.Order{CustomerID: 7, BookID: 1, Copies: 1}))(t)
		must(shop.Orders.Ship(ctx, second.ID))(t)
		if s := must(shop.Orders.Status(ctx, second.ID, true))(t); s != bookshop.StatusShipped {
			t.Errorf("a shipped order is %q", s)
		}

		mine := must(shop.Orders.Mine(bookshop.WithCustomer(ctx, 7), bookshop.Page{Limit: 10}))(t)
		if len(mine) != 2 || mine[0].ID != second.ID {
			t.Errorf("the customer's orders: %+v", mine)
		}
		if others := must(shop.Orders.Mine(bookshop.WithCustomer(ctx, 8), bookshop.Page{Limit: 10}))(t); len(others) != 0 {
			t.Errorf("another customer's orders: %+v", others)
		}
		if _, err := shop.Orders.Mine(ctx, bookshop.Page{Limit: 10}); err == nil {
			t.Error("nobody's orders are not an error")
		}
	})
}

func TestSession(t *testing.T) {
	onEach(t, func(t *testing.T, db *sqlstore.DB) {
		ctx, sessions := t.Context(), db.Repos().Sessions
		read := func(token string) (bookshop.Session, bool) {
			t.Helper()
			s, ok, err := sessions.Get(ctx, token)
			if err != nil {
				t.Fatal(err)
			}
			return s, ok
		}
		if _, ok := read("a"); ok {
			t.Error("a session that nobody saved")
		}
		noon := time.Date(2030, 1, 1, 12, 0, 0, 0, time.UTC)
		for _, s := range []bookshop.Session{
			{Token: "a", CustomerID: 1, ExpiresAt: noon},
			{Token: "a", CustomerID: 1, ExpiresAt: noon.Add(time.Hour)}, // saved again
			{Token: "b", CustomerID: 2, ExpiresAt: noon},
			{Token: "c", CustomerID: 3, ExpiresAt: noon.Add(time.Hour)},
		} {
			if err := sessions.Save(ctx, s); err != nil {
				t.Fatal(err)
			}
		}
		if s, ok := read("a"); !ok || s.CustomerID != 1 || !s.ExpiresAt.Equal(noon.Add(time.Hour)) {
			t.Errorf("read %+v, %t", s, ok)
		}
		if n := must(sessions.Sweep(ctx, noon.Add(time.Minute)))(t); n != 1 {
			t.Errorf("swept %d sessions, want 1", n)
		}
		if _, ok := read("b"); ok {
			t.Error("an expired session was left")
		}
		if err := sessions.End(ctx, "c"); err != nil {
			t.Fatal(err)
		}
		if _, ok := read("c"); ok {
			t.Error("a session that was ended is still there")
		}
	})
}
