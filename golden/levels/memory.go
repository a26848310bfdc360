package levels

import (
	"context"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Rates is a RateRepo in memory.
type Rates struct {
	memdb.Calls
	rates memdb.Table[string, Rate]
}

func (m *Rates) Latest(_ context.Context, pair string) (Rate, error) {
	m.Called("Latest")
	rate, _ := m.rates.Get(pair)
	return rate, nil
}

func (m *Rates) History(_ context.Context, pair string) ([]Rate, error) {
	m.Called("History")
	return m.rates.Select(func(r Rate) bool { return r.Pair == pair }), nil
}

func (m *Rates) Quote(_ context.Context, r Rate) error {
	m.rates.Put(r.Pair, r)
	return nil
}

// Balances is a BalanceRepo in memory.
type Balances struct {
	memdb.Calls
	balances memdb.Table[int64, int64]
}

func (m *Balances) Balance(_ context.Context, id int64) (int64, error) {
	m.Called("Balance")
	cents, _ := m.balances.Get(id)
	return cents, nil
}

func (m *Balances) Preview(ctx context.Context, id int64) (int64, error) { return m.Balance(ctx, id) }

func (m *Balances) Pay(_ context.Context, id, cents int64) error {
	had, _ := m.balances.Get(id)
	m.balances.Put(id, had-cents)
	return nil
}

func (m *Balances) Refund(ctx context.Context, id, cents int64) error { return m.Pay(ctx, id, -cents) }

func (m *Balances) Freeze(_ context.Context, id int64) error {
	m.balances.Put(id, 0)
	return nil
}
