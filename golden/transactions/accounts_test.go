package transactions_test

import (
	"errors"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/transactions"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

type fixture struct {
	t        *testing.T
	cache    *cachert.Cache
	source   *transactions.Memory
	accounts *transactions.CachedAccountStore
	probe    *goldentest.Probe
}

func setUp(t *testing.T, cache *cachert.Cache) fixture {
	source := &transactions.Memory{}
	f := fixture{t, cache, source, transactions.NewCachedAccountStore(source, cache), goldentest.Watch(t, cache, source)}
	goldentest.Do(t, f.accounts.Deposit(t.Context(), 1, 100))
	f.probe.MissThenHit(f.balance(f.accounts, 1, 100))
	f.probe.MissThenHit(f.balance(f.accounts, 2, 0))
	return f
}

func (f fixture) balance(store transactions.AccountStore, id, want int64) func() {
	return func() {
		f.t.Helper()
		got, err := store.Balance(f.t.Context(), id)
		goldentest.Want(f.t, got, err, want)
	}
}

// committed tells the cache what a transaction has changed.
func (f fixture) committed(ids ...int64) {
	f.t.Helper()
	goldentest.Do(f.t, f.cache.Invalidate(f.t.Context(), func(tags *cachert.Tags) {
		for _, id := range ids {
			tags.Tag("accounts/account").Int(id)
		}
	}))
}

func TestTransactionInsideOneMethod(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		goldentest.Do(t, f.accounts.Deposit(t.Context(), 2, 5))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 5))
		f.probe.Hit(f.balance(f.accounts, 1, 100))
		goldentest.Do(t, f.accounts.Deposit(t.Context(), 2, -5))
		goldentest.Do(t, f.accounts.Transfer(t.Context(), 1, 2, 30))
		f.probe.MissThenHit(f.balance(f.accounts, 1, 70))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 30))
		if err := f.accounts.Transfer(t.Context(), 1, 2, 300); err != transactions.ErrShort {
			t.Fatal(err)
		}
		f.probe.MissThenHit(f.balance(f.accounts, 1, 70))
	})
}

func TestDerivedStoreSeesItsOwnRowsAndNobodyElseDoes(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		tx := f.source.Begin()
		inside, err := f.accounts.WithTx(tx)
		goldentest.Do(t, err)
		goldentest.Do(t, inside.Deposit(t.Context(), 1, 5))
		goldentest.Do(t, f.accounts.DepositTx(t.Context(), tx, 1, 5))
		f.probe.Always(f.balance(inside, 1, 110))
		f.probe.Hit(f.balance(f.accounts, 1, 100)) // not committed

		f.committed(tx.Commit()...)
		f.probe.MissThenHit(f.balance(f.accounts, 1, 110))
		f.probe.Hit(f.balance(f.accounts, 2, 0))
	})
}

func TestBodyWithAStore(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		stop := errors.New("stop")
		move := func(result error) error {
			return f.accounts.Atomically(t.Context(), func(store transactions.AccountStore) error {
				goldentest.Do(t, store.Transfer(t.Context(), 1, 2, 40))
				f.balance(store, 1, 60)()
				f.balance(f.accounts, 1, 100)() // from the cache, in the middle of it
				return result
			})
		}
		if err := move(stop); err != stop {
			t.Fatal(err)
		}
		f.probe.Hit(f.balance(f.accounts, 1, 100))
		goldentest.Do(t, move(nil))
		f.committed(1, 2)
		f.probe.MissThenHit(f.balance(f.accounts, 1, 60))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 40))
	})
}
