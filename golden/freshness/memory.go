package freshness

import (
	"context"
	"database/sql"
	"fmt"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	accounts memdb.Table[int64, Account]
}

func (m *Memory) Get(_ context.Context, id int64, _ *Options) (Account, error) {
	m.Called("Get")
	account, _ := m.accounts.Get(id)
	return account, nil
}

func (m *Memory) Balance(ctx context.Context, id int64, _ sql.IsolationLevel) (int64, error) {
	account, err := m.Get(ctx, id, nil)
	return account.Balance, err
}

func (m *Memory) Status(ctx context.Context, id int64, mode string, limit int) (string, error) {
	account, err := m.Get(ctx, id, nil)
	return fmt.Sprint(mode, " ", account.Balance > int64(limit)), err
}

func (m *Memory) Exists(ctx context.Context, id int64, _ bool) (bool, error) {
	account, err := m.Get(ctx, id, nil)
	return account.ID != 0, err
}

func (m *Memory) ByFilter(ctx context.Context, id int64, _ *int64) (Account, error) {
	return m.Get(ctx, id, nil)
}

func (m *Memory) Transfer(_ context.Context, id, amount int64) error {
	account, _ := m.accounts.Get(id)
	m.accounts.Put(id, Account{ID: id, Balance: account.Balance + amount})
	return nil
}
