package leased_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/leased"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestAllLevelsSeeWhatWasWritten(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &leased.Stock{}
		stock := leased.NewCachedStockRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		left := func(want int64) func() {
			return func() {
				got, err := stock.Left(t.Context(), "nails")
				goldentest.Want(t, got, err, want)
			}
		}
		goldentest.Do(t, stock.Receive(t.Context(), "nails", 100))
		probe.MissThenHit(left(100))
		goldentest.Do(t, stock.Take(t.Context(), "nails", 30))
		probe.MissThenHit(left(70))
		got, err := stock.Preview(t.Context(), "nails")
		goldentest.Want(t, got, err, 70)
		got, err = stock.Audit(t.Context(), "nails")
		goldentest.Want(t, got, err, 70)
	})
}

// Without asking to be fresh, and however often it has been answered near before.
func TestAnotherProcessIsNeverBehind(t *testing.T) {
	goldentest.Pair(t, func(t *testing.T, one, other *cachert.Cache) {
		source := &leased.Stock{}
		here, there := leased.NewCachedStockRepo(source, one), leased.NewCachedStockRepo(source, other)
		for n := int64(1); n <= 5; n++ {
			goldentest.Do(t, there.Receive(t.Context(), "nails", 1))
			for range 20 {
				got, err := here.Left(t.Context(), "nails")
				goldentest.Want(t, got, err, n)
			}
		}
	})
}
