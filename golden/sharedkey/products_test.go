package sharedkey_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/sharedkey"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestOneEntryForTwoMethods(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &sharedkey.Memory{}
		products := sharedkey.NewCachedProductRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		get := func(want sharedkey.Product) func() {
			return func() {
				got, err := products.Get(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			}
		}
		resolve := func(from string, want sharedkey.Product) func() {
			return func() {
				got, err := products.Resolve(t.Context(), &sharedkey.Ref{ID: 1, From: from})
				goldentest.Want(t, got, err, want)
			}
		}
		titled := func(trace string, verbose bool, want sharedkey.Product) func() {
			return func() {
				got, err := products.Titled(t.Context(), trace, 1, verbose)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(get(sharedkey.Product{}))
		probe.Hit(resolve("menu", sharedkey.Product{}))
		probe.MissThenHit(titled("a", false, sharedkey.Product{}))
		probe.Hit(titled("b", true, sharedkey.Product{}))

		probe.MissThenHit(func() {
			got, err := products.Resolve(t.Context(), nil)
			goldentest.Want(t, got, err, sharedkey.Product{Title: "featured"})
		})
		zero := func() {
			got, err := products.Get(t.Context(), 0)
			goldentest.Want(t, got, err, sharedkey.Product{})
		}
		probe.MissThenHit(zero)

		pen := sharedkey.Product{ID: 1, Title: "Pen"}
		goldentest.Do(t, products.Save(t.Context(), pen))
		probe.Hit(resolve("cart", pen))
		probe.Hit(get(pen))
		probe.MissThenHit(titled("a", false, pen))
		probe.Hit(zero)
	})
}
