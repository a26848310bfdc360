package leased

import (
	"context"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Stock is a StockRepo in memory.
type Stock struct {
	memdb.Calls
	items memdb.Table[string, int64]
}

func (s *Stock) Left(_ context.Context, item string) (int64, error) {
	s.Called("Left")
	n, _ := s.items.Get(item)
	return n, nil
}

func (s *Stock) Preview(ctx context.Context, item string) (int64, error) { return s.Left(ctx, item) }

func (s *Stock) Audit(ctx context.Context, item string) (int64, error) { return s.Left(ctx, item) }

func (s *Stock) Take(_ context.Context, item string, n int64) error {
	had, _ := s.items.Get(item)
	s.items.Put(item, had-n)
	return nil
}

func (s *Stock) Receive(ctx context.Context, item string, n int64) error {
	return s.Take(ctx, item, -n)
}
