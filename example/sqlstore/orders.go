package sqlstore

import (
	"context"

	bookshop "github.com/cachegen/cachegen/example"
)

type orderRepo struct{ db *DB }

const orderColumns = "id, customer_id, book_id, copies, status, placed_at"

func (r orderRepo) ByID(ctx context.Context, id int64) (*bookshop.Order, error) {
	return oneOrder(ctx, r.db.reader(ctx), "SELECT "+orderColumns+" FROM orders WHERE id = ?", id)
}

func (r orderRepo) Status(ctx context.Context, id int64, _ bool) (status bookshop.Status, err error) {
	err = get(ctx, r.db.reader(ctx), &status, "SELECT status FROM orders WHERE id = ?", id)
	return status, err
}

func (r orderRepo) Mine(ctx context.Context, page bookshop.Page) ([]bookshop.Order, error) {
	customer, ok := bookshop.Customer(ctx)
	if !ok {
		return nil, bookshop.ErrNotFound
	}
	orders := []bookshop.Order{}
	err := list(ctx, r.db.reader(ctx), &orders,
		"SELECT "+orderColumns+" FROM orders WHERE customer_id = ? ORDER BY id DESC LIMIT ? OFFSET ?",
		customer, page.Limit, page.Offset)
	for i := range orders {
		orders[i].PlacedAt = orders[i].PlacedAt.UTC()
	}
	return orders, err
}

func (r orderRepo) Place(ctx context.Context, o bookshop.Order) (placed *bookshop.Order, err error) {
	err = r.db.atomically(ctx, func(ctx context.Context) error {
		tx := r.db.writer(ctx)
		n, err := exec(ctx, tx,
			"UPDATE books SET stock = stock - ?, updated_at = ?, version = version + 1 WHERE id = ? AND stock >= ?",
			o.Copies, now(), o.BookID, o.Copies)
		if err != nil {
			return err
		}
		if n == 0 {
			return bookshop.ErrOutOfStock
		}
		placed, err = oneOrder(ctx, tx,
			"INSERT INTO orders (customer_id, book_id, copies, status, placed_at) VALUES (?, ?, ?, ?, ?) RETURNING "+orderColumns,
			o.CustomerID, o.BookID, o.Copies, bookshop.StatusPlaced, now())
		return err
	})
	if err != nil {
		return nil, err
	}
	return placed, nil
}

func (r orderRepo) Ship(ctx context.Context, id int64) (*bookshop.Order, error) {
	return move(ctx, r.db.writer(ctx), id, bookshop.StatusShipped)
}

func (r orderRepo) Cancel(ctx context.Context, id int64) (cancelled *bookshop.Order, err error) {
	err = r.db.atomically(ctx, func(ctx context.Context) error {
		tx := r.db.writer(ctx)
		if cancelled, err = move(ctx, tx, id, bookshop.StatusCancelled); err != nil {
			return err
		}
		_, err := exec(ctx, tx,
			"UPDATE books SET stock = stock + ?, updated_at = ?, version = version + 1 WHERE id = ?",
			cancelled.Copies, now(), cancelled.BookID)
		return err
	})
	if err != nil {
		return nil, err
	}
	return cancelled, nil
}

// move takes a placed order to its next state.
func move(ctx context.Context, q querier, id int64, to bookshop.Status) (*bookshop.Order, error) {
	return oneOrder(ctx, q,
		"UPDATE orders SET status = ? WHERE id = ? AND status = ? RETURNING "+orderColumns,
		to, id, bookshop.StatusPlaced)
}

func oneOrder(ctx context.Context, q querier, query string, args ...any) (*bookshop.Order, error) {
	var o bookshop.Order
	if err := get(ctx, q, &o, query, args...); err != nil {
		return nil, err
	}
	o.PlacedAt = o.PlacedAt.UTC()
	return &o, nil
}
