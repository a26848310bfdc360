package structs_test

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/structs"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var day = time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)

func order(number int64, status string) structs.Order {
	return structs.Order{Key: structs.OrderKey{Shop: "north", Number: number}, Status: status, Digest: [4]byte{1, 2, 3, byte(number)}, Placed: day}
}

func setUp(t *testing.T, cache *cachert.Cache) (*structs.CachedOrderRepo, *goldentest.Probe) {
	t.Helper()
	source := &structs.Memory{}
	orders := structs.NewCachedOrderRepo(source, cache)
	for n := int64(1); n <= 2; n++ {
		o := order(n, "placed")
		goldentest.Do(t, orders.Save(t.Context(), &o))
	}
	return orders, goldentest.Watch(t, cache, source)
}

func TestKeyInsideAStruct(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		orders, probe := setUp(t, cache)
		get := func(shop string, number int64, want *structs.Order) func() {
			return func() {
				got, err := orders.Get(t.Context(), structs.OrderKey{Shop: shop, Number: number})
				goldentest.Want(t, got, err, want)
				if got != nil {
					got.Status = "mine" // the caller's own
				}
			}
		}
		first, shipped := order(1, "placed"), order(1, "shipped")
		probe.MissThenHit(get("north", 1, &first))
		probe.MissThenHit(get("south", 1, nil))
		probe.MissThenHit(get("north", 3, nil))

		goldentest.Do(t, orders.Save(t.Context(), &shipped))
		probe.MissThenHit(get("north", 1, &shipped))
		probe.Hit(get("south", 1, nil))

		third := order(3, "placed")
		goldentest.Do(t, orders.Save(t.Context(), &third))
		third.Status = "changed by the caller after the write"
		want := order(3, "placed")
		probe.MissThenHit(get("north", 3, &want))
	})
}

func TestEachFieldOfAFilterIsPartOfTheKey(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		orders, probe := setUp(t, cache)
		both := []structs.Order{order(1, "placed"), order(2, "placed")}
		north, south, none := "north", "south", ""
		find := func(filter structs.Filter, want []structs.Order) func() {
			return func() {
				got, err := orders.Find(t.Context(), filter)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(find(structs.Filter{}, both))
		probe.MissThenHit(find(structs.Filter{Shop: &none}, nil))
		probe.MissThenHit(find(structs.Filter{Shop: &north}, both))
		probe.MissThenHit(find(structs.Filter{Shop: &south}, nil))
		probe.MissThenHit(find(structs.Filter{Statuses: []string{}}, nil))
		probe.MissThenHit(find(structs.Filter{Statuses: []string{"placed", "shipped"}}, both))
		probe.MissThenHit(find(structs.Filter{Statuses: []string{"placed,shipped"}}, nil))
		probe.MissThenHit(find(structs.Filter{Labels: map[string]bool{"a": true, "b": false}}, both))
		probe.MissThenHit(find(structs.Filter{Labels: map[string]bool{"a": true}}, both))
		probe.MissThenHit(find(structs.Filter{Page: &structs.Page{}}, both))
		probe.MissThenHit(find(structs.Filter{Page: &structs.Page{Offset: 1}}, both))
		probe.MissThenHit(find(structs.Filter{Page: &structs.Page{Limit: 1}}, both))
		window := structs.Filter{}
		window.Window.Until = day
		probe.MissThenHit(find(window, nil))

		other := north // another pointer to an equal value is the same key
		probe.Hit(find(structs.Filter{Shop: &other}, both))
		probe.Hit(find(structs.Filter{Labels: map[string]bool{"b": false, "a": true}}, both))

		saved := order(2, "shipped")
		goldentest.Do(t, orders.Save(t.Context(), &saved))
		probe.MissThenHit(find(structs.Filter{}, []structs.Order{order(1, "placed"), saved}))
		third := order(3, "placed")
		goldentest.Do(t, orders.Save(t.Context(), &third)) // was in none of the lists
		probe.MissThenHit(find(structs.Filter{}, []structs.Order{order(1, "placed"), saved, third}))
	})
}

func TestNilFilterIsNotTheZeroFilter(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		orders, probe := setUp(t, cache)
		both := []structs.Order{order(1, "placed"), order(2, "placed")}
		probe.MissThenHit(func() {
			got, err := orders.FindAt(t.Context(), nil)
			goldentest.Want(t, got, err, []structs.Order{})
		})
		filter := &structs.Filter{}
		find := func(want []structs.Order) func() {
			return func() {
				got, err := orders.FindAt(t.Context(), filter)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(find(both))
		filter.Statuses = []string{"shipped"} // the caller uses his filter again
		probe.MissThenHit(find(nil))
		filter.Statuses = nil
		probe.Hit(find(both))
		third := order(3, "placed")
		goldentest.Do(t, orders.Save(t.Context(), &third))
		probe.MissThenHit(find(append(both, third)))
	})
}

func TestBytes(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		orders, probe := setUp(t, cache)
		ask := func(digest [4]byte, signature []byte, want string) func() {
			return func() {
				got, err := orders.ByDigest(t.Context(), digest, signature)
				goldentest.Want(t, got, err, want)
			}
		}
		digest := [4]byte{1, 2, 3, 1}
		probe.MissThenHit(ask(digest, []byte("xy"), "placedxy"))
		probe.MissThenHit(ask(digest, []byte{}, "placed"))
		probe.MissThenHit(ask(digest, nil, "placed"))
		probe.MissThenHit(ask([4]byte{1, 2, 3, 9}, []byte("xy"), ""))
		shipped := order(1, "shipped")
		goldentest.Do(t, orders.Save(t.Context(), &shipped))
		probe.MissThenHit(ask(digest, []byte("xy"), "shippedxy"))
		probe.Hit(ask([4]byte{1, 2, 3, 9}, []byte("xy"), ""))
	})
}
