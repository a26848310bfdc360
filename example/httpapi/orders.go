package httpapi

import (
	"context"
	"crypto/rand"
	"net/http"
	"slices"
	"strings"
	"time"

	bookshop "github.com/cachegen/cachegen/example"
)

// sessionLife is how long a login lasts.
const sessionLife = 24 * time.Hour

// logIn believes whoever comes: passwords are not what this example is about.
func (s *server) logIn(r *http.Request) (any, error) {
	who, err := body[struct {
		CustomerID int64 `json:"customer_id"`
	}](r)
	if err != nil {
		return nil, err
	}
	session := bookshop.Session{
		Token:      rand.Text(),
		CustomerID: who.CustomerID,
		ExpiresAt:  time.Now().UTC().Truncate(time.Microsecond).Add(sessionLife),
	}
	return session, s.Sessions.Save(r.Context(), session)
}

func (s *server) logOut(r *http.Request) (any, error) {
	return nil, s.Sessions.End(r.Context(), token(r))
}

// customer returns a context that acts for the customer who sent the request. Every request
// of a customer reads the session: it should come from the cache.
func (s *server) customer(r *http.Request) (context.Context, int64, error) {
	session, ok, err := s.Sessions.Get(r.Context(), token(r))
	if err != nil {
		return nil, 0, err
	}
	if !ok || session.Expired(time.Now()) {
		return nil, 0, errLogIn
	}
	return bookshop.WithCustomer(r.Context(), session.CustomerID), session.CustomerID, nil
}

func token(r *http.Request) string {
	return strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
}

func (s *server) myOrders(r *http.Request) (any, error) {
	ctx, _, err := s.customer(r)
	if err != nil {
		return nil, err
	}
	page, err := page(r)
	if err != nil {
		return nil, err
	}
	return s.Orders.Mine(ctx, page)
}

func (s *server) placeOrder(r *http.Request) (any, error) {
	ctx, customer, err := s.customer(r)
	if err != nil {
		return nil, err
	}
	o, err := body[bookshop.Order](r)
	if err != nil || o.Copies < 1 {
		return nil, errBadRequest
	}
	o.CustomerID = customer
	return s.Orders.Place(ctx, o)
}

// placeCart places all orders of a cart, or none.
func (s *server) placeCart(r *http.Request) (any, error) {
	ctx, customer, err := s.customer(r)
	if err != nil {
		return nil, err
	}
	cart, err := body[[]bookshop.Order](r)
	if err != nil || slices.ContainsFunc(cart, func(o bookshop.Order) bool { return o.Copies < 1 }) {
		return nil, errBadRequest
	}
	placed := []*bookshop.Order{}
	err = s.Atomically(ctx, func(ctx context.Context) error {
		for _, o := range cart {
			o.CustomerID = customer
			p, err := s.Orders.Place(ctx, o)
			if err != nil {
				return err
			}
			placed = append(placed, p)
		}
		return nil
	})
	return placed, err
}

func (s *server) order(r *http.Request) (any, error) {
	return s.ownOrder(r, func(o *bookshop.Order) (any, error) { return o, nil })
}

func (s *server) orderStatus(r *http.Request) (any, error) {
	latest := r.URL.Query().Get("latest") == "true"
	return s.ownOrder(r, func(o *bookshop.Order) (any, error) {
		return s.Orders.Status(r.Context(), o.ID, latest)
	})
}

func (s *server) cancelOrder(r *http.Request) (any, error) {
	return s.ownOrder(r, func(o *bookshop.Order) (any, error) {
		return s.Orders.Cancel(r.Context(), o.ID)
	})
}

// ownOrder answers for an order of the customer who asks; others' orders do not exist.
func (s *server) ownOrder(r *http.Request, answer func(*bookshop.Order) (any, error)) (any, error) {
	ctx, customer, err := s.customer(r)
	if err != nil {
		return nil, err
	}
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	o, err := s.Orders.ByID(ctx, id)
	if err != nil {
		return nil, err
	}
	if o.CustomerID != customer {
		return nil, bookshop.ErrNotFound
	}
	return answer(o)
}

// shipOrder is for the parcel desk, which this example lets everybody be.
func (s *server) shipOrder(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	return s.Orders.Ship(r.Context(), id)
}
