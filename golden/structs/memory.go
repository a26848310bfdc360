package structs

import (
	"context"
	"slices"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	orders memdb.Table[int64, Order] // by number, which is unique here
}

func (m *Memory) Get(_ context.Context, key OrderKey) (*Order, error) {
	m.Called("Get")
	order, ok := m.orders.Get(key.Number)
	if !ok || order.Key != key {
		return nil, nil
	}
	return &order, nil
}

func (m *Memory) Find(_ context.Context, filter Filter) ([]Order, error) {
	m.Called("Find")
	return m.orders.Select(func(o Order) bool {
		return (filter.Shop == nil || o.Key.Shop == *filter.Shop) &&
			(filter.Statuses == nil || slices.Contains(filter.Statuses, o.Status)) &&
			(filter.Window.Until.IsZero() || o.Placed.Before(filter.Window.Until))
	}), nil
}

func (m *Memory) FindAt(ctx context.Context, filter *Filter) ([]Order, error) {
	if filter == nil {
		m.Called("FindAt")
		return []Order{}, nil
	}
	return m.Find(ctx, *filter)
}

func (m *Memory) ByDigest(_ context.Context, digest [4]byte, signature []byte) (string, error) {
	m.Called("ByDigest")
	for _, order := range m.orders.Select(func(o Order) bool { return o.Digest == digest }) {
		return order.Status + string(signature), nil
	}
	return "", nil
}

func (m *Memory) Save(_ context.Context, o *Order) error {
	m.orders.Put(o.Key.Number, *o)
	return nil
}
