package folding_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/folding"
	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestSpellingsOfOneKey(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &folding.Memory{}
		users := folding.NewCachedUserRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		byEmail := func(email string, want *folding.User) func() {
			return func() {
				got, err := users.ByEmail(t.Context(), email)
				goldentest.Want(t, got, err, want)
			}
		}
		find := func(handle folding.Handle, limit int, want *folding.User) func() {
			return func() {
				got, err := users.Find(t.Context(), folding.Search{Handle: handle, Limit: limit})
				goldentest.Want(t, got, err, want)
			}
		}
		ids := func(handle folding.Handle, want ...int64) func() {
			return func() {
				got, err := users.IDs(t.Context(), folding.Search{Handle: handle})
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(byEmail("ada@example.com", nil))
		probe.Hit(byEmail("ADA@Example.com", nil))
		probe.MissThenHit(find("ada", 1, nil))
		probe.Hit(find(" Ada ", 1, nil))
		probe.MissThenHit(find(" Ada ", 2, nil))
		probe.MissThenHit(ids("ada"))
		probe.MissThenHit(ids(" Ada "))

		ada := &folding.User{ID: 1, Email: "Ada@EXAMPLE.com", Handle: "ADA "}
		goldentest.Do(t, users.Save(t.Context(), ada))
		goldentest.Equal(t, ada.Email, "Ada@EXAMPLE.com") // the source gets what the caller wrote
		probe.MissThenHit(byEmail("ada@example.com", ada))
		probe.Hit(byEmail("adA@eXample.com", ada))
		probe.MissThenHit(find("ada", 1, ada))
		probe.MissThenHit(find("aDA", 2, ada))
		probe.MissThenHit(ids("ada", 1))
		probe.MissThenHit(ids(" Ada ", 1))
		probe.MissThenHit(byEmail("bob@example.com", nil))

		goldentest.Do(t, users.Free(t.Context(), "ADA@EXAMPLE.COM", " aDa"))
		probe.MissThenHit(byEmail("Ada@example.com", nil))
		probe.MissThenHit(find("ada", 1, nil))
		probe.Hit(byEmail("BOB@example.com", nil))
	})
}
