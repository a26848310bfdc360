package levels_test

import (
	"errors"
	"testing"
	"time"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/levels"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestEventualAndBounded(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &levels.Rates{}
		rates := levels.NewCachedRateRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		old := levels.Rate{Pair: "EURUSD", Bid: 1.1, At: time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)}
		latest := func(want levels.Rate) func() {
			return func() {
				got, err := rates.Latest(t.Context(), "EURUSD")
				goldentest.Want(t, got, err, want)
			}
		}
		history := func(want ...levels.Rate) func() {
			return func() {
				got, err := rates.History(t.Context(), "EURUSD")
				goldentest.Want(t, got, err, want)
			}
		}
		goldentest.Do(t, rates.Quote(t.Context(), old))
		probe.MissThenHit(latest(old))
		probe.MissThenHit(history(old))
		now := old
		now.Bid = 1.2
		goldentest.Do(t, rates.Quote(t.Context(), now))
		probe.Hit(latest(old)) // as announced
		probe.MissThenHit(history(now))
	})
}

func TestStrictRepository(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &levels.Balances{}
		balances := levels.NewCachedBalanceRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		both := func(want int64) {
			t.Helper()
			probe.MissThenHit(func() {
				got, err := balances.Balance(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			})
			probe.MissThenHit(func() {
				got, err := balances.Preview(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			})
		}
		both(0)
		goldentest.Do(t, balances.Refund(t.Context(), 1, 50))
		both(50)
		goldentest.Do(t, balances.Pay(t.Context(), 1, 20))
		both(30)
		goldentest.Do(t, balances.Freeze(t.Context(), 1))
		both(0)
		for _, m := range cache.Stats().Methods {
			if m.Method == "Balance" && m.NearHits > 0 {
				t.Error("a strict read was answered without asking the store")
			}
		}
	})
}

// A strict read sees what another process has written, without any help.
func TestStrictAcrossProcesses(t *testing.T) {
	goldentest.Pair(t, func(t *testing.T, one, other *cachert.Cache) {
		source := &levels.Balances{}
		here, there := levels.NewCachedBalanceRepo(source, one), levels.NewCachedBalanceRepo(source, other)
		probe := goldentest.Watch(t, one, source)
		balance := func(want int64) func() {
			return func() {
				got, err := here.Balance(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(balance(0))
		goldentest.Do(t, there.Refund(t.Context(), 1, 50))
		probe.MissThenHit(balance(50))
	})
}

// With a store that is down reads go to the source, and each write does what onerror= says.
func TestStoreDown(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &levels.Balances{}
		balances := levels.NewCachedBalanceRepo(source, cache)
		rates := levels.NewCachedRateRepo(&levels.Rates{}, cache)
		goldentest.Do(t, balances.Refund(t.Context(), 1, 50))
		goldentest.Do(t, cache.Close())

		for name, write := range map[string]func() error{
			"Pay":    func() error { return balances.Pay(t.Context(), 1, 20) },
			"Freeze": func() error { return balances.Freeze(t.Context(), 1) },
		} {
			if err := write(); !errors.Is(err, cachert.ErrRefused) {
				t.Errorf("%s: %v", name, err)
			}
		}
		goldentest.Do(t, balances.Refund(t.Context(), 1, 5))
		goldentest.Do(t, rates.Quote(t.Context(), levels.Rate{Pair: "EURUSD"}))
		got, err := balances.Balance(t.Context(), 1)
		goldentest.Want(t, got, err, 55)
	})
}
