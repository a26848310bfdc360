package noerror

import (
	"context"
	"errors"
	"slices"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// The errors of Check.
var (
	ErrUnknown  = errors.New("no price")
	ErrTooCheap = errors.New("too cheap")
)

// Memory knows prices in memory.
type Memory struct {
	memdb.Calls
	prices memdb.Table[string, Price]
}

func (m *Memory) Cents(_ context.Context, sku string) int64 {
	m.Called("Cents")
	price, _ := m.prices.Get(sku)
	return price.Cents
}

func (m *Memory) Lookup(_ context.Context, sku string) (Price, bool) {
	m.Called("Lookup")
	price, ok := m.prices.Get(sku)
	price.Tiers = slices.Clone(price.Tiers)
	return price, ok
}

func (m *Memory) Get(sku string) *Price {
	m.Called("Get")
	price, ok := m.prices.Get(sku)
	if !ok {
		return nil
	}
	price.Tiers = slices.Clone(price.Tiers)
	return &price
}

func (m *Memory) SKUs() []string {
	m.Called("SKUs")
	var skus []string
	for _, price := range m.prices.Select(memdb.Any) {
		skus = append(skus, price.SKU)
	}
	return skus
}

func (m *Memory) Check(_ context.Context, sku string) error {
	m.Called("Check")
	price, ok := m.prices.Get(sku)
	switch {
	case !ok:
		return ErrUnknown
	case price.Cents < 100:
		return ErrTooCheap
	}
	return nil
}

func (m *Memory) Set(_ context.Context, p Price) { m.prices.Put(p.SKU, p) }

func (m *Memory) Raise(sku string, cents int64) (now int64) {
	m.prices.Change(sku, func(p *Price) {
		p.Cents += cents
		now = p.Cents
	})
	return now
}
