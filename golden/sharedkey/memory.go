package sharedkey

import (
	"context"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	products memdb.Table[ProductID, Product]
}

func (m *Memory) Get(_ context.Context, id ProductID) (Product, error) {
	m.Called("Get")
	product, _ := m.products.Get(id)
	return product, nil
}

func (m *Memory) Resolve(ctx context.Context, ref *Ref) (Product, error) {
	if ref == nil {
		m.Called("Resolve")
		return Product{Title: "featured"}, nil
	}
	return m.Get(ctx, ref.ID)
}

func (m *Memory) Titled(ctx context.Context, _ string, id ProductID, _ bool) (Product, error) {
	return m.Get(ctx, id)
}

func (m *Memory) Save(_ context.Context, p Product) error {
	m.products.Put(p.ID, p)
	return nil
}
