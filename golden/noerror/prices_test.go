package noerror_test

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/noerror"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var pen = noerror.Price{SKU: "pen", Cents: 90, Tiers: []int64{80, 70}}

func setUp(t *testing.T, cache *cachert.Cache) (*noerror.CachedPrices, *goldentest.Probe) {
	t.Helper()
	source := &noerror.Memory{}
	prices := noerror.NewCachedPrices(source, cache)
	return prices, goldentest.Watch(t, cache, source)
}

func TestValuesWithoutError(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		prices, probe := setUp(t, cache)
		cents := func(want int64) func() {
			return func() { goldentest.Equal(t, prices.Cents(t.Context(), "pen"), want) }
		}
		lookup := func(want noerror.Price, found bool) func() {
			return func() {
				got, ok := prices.Lookup(t.Context(), "pen")
				goldentest.Equal(t, got, want)
				goldentest.Equal(t, ok, found)
				if ok {
					got.Tiers[0] = 0 // the caller's own
				}
			}
		}
		get := func(want *noerror.Price) func() {
			return func() { goldentest.Equal(t, prices.Get("pen"), want) }
		}
		skus := func(want []string) func() {
			return func() { goldentest.Equal(t, prices.SKUs(), want) }
		}
		probe.MissThenHit(cents(0))
		probe.MissThenHit(lookup(noerror.Price{}, false))
		probe.Always(get(nil))
		probe.MissThenHit(skus(nil))

		prices.Set(t.Context(), pen)
		probe.MissThenHit(cents(90))
		probe.MissThenHit(lookup(pen, true))
		probe.MissThenHit(get(&pen))
		probe.MissThenHit(skus([]string{"pen"}))

		goldentest.Equal(t, prices.Raise("pen", 20), 110)
		probe.MissThenHit(cents(110))
		probe.MissThenHit(get(&noerror.Price{SKU: "pen", Cents: 110, Tiers: []int64{80, 70}}))
		probe.Hit(skus([]string{"pen"}))
	})
}

func TestCheck(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		prices, probe := setUp(t, cache)
		check := func(want error) func() {
			return func() {
				if err := prices.Check(t.Context(), "pen"); err != want {
					t.Errorf("error %v, want %v itself", err, want)
				}
			}
		}
		probe.MissThenHit(check(noerror.ErrUnknown))
		prices.Set(t.Context(), pen)
		probe.Always(check(noerror.ErrTooCheap))
		prices.Raise("pen", 20)
		probe.MissThenHit(check(nil))
	})
}

// A context that has ended is no reason to return a zero value: there is no error to say so.
func TestEndedContextStillGetsTheValue(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		prices, _ := setUp(t, cache)
		prices.Set(t.Context(), pen)
		ended, cancel := context.WithCancel(t.Context())
		cancel()
		goldentest.Equal(t, prices.Cents(ended, "pen"), 90)
	})
}
