package tenancy_test

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/tenancy"
	"github.com/cachegen/cachegen/golden/tenancy/auth"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestTenantsOfTheContext(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &tenancy.Notes{}
		notes := tenancy.NewCachedNoteRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		acme, tricky, nobody := cachert.WithTenant(t.Context(), "acme"), cachert.WithTenant(t.Context(), "acme/notes"), t.Context()
		get := func(ctx context.Context, want string) func() {
			return func() {
				got, err := notes.Get(ctx, 1)
				goldentest.Want(t, got, err, want)
			}
		}
		goldentest.Do(t, notes.Set(acme, 1, "of acme"))
		probe.MissThenHit(get(acme, "of acme"))
		probe.MissThenHit(get(tricky, ""))
		probe.Always(get(nobody, ""))

		goldentest.Do(t, notes.Set(tricky, 1, "of another"))
		probe.MissThenHit(get(tricky, "of another"))
		probe.Hit(get(acme, "of acme")) // the other tenant's write is none of its business

		goldentest.Do(t, notes.Set(nobody, 1, "of nobody")) // whose note changed is not known
		probe.MissThenHit(get(acme, "of acme"))
		probe.MissThenHit(get(tricky, "of another"))
		probe.Always(get(nobody, "of nobody"))
	})
}

func TestTenantsOfAFunction(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &tenancy.Projects{}
		projects := tenancy.NewCachedProjectRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		acme, other, nobody := auth.With(t.Context(), "acme", 7), auth.With(t.Context(), "other", 7), t.Context()
		byID := func(ctx context.Context, want *tenancy.Project) func() {
			return func() {
				got, err := projects.ByID(ctx, 1)
				goldentest.Want(t, got, err, want)
			}
		}
		ours := tenancy.Project{ID: 1, Org: "acme", Owner: 7, Name: "Wall"}
		goldentest.Do(t, projects.Save(acme, ours))
		probe.MissThenHit(byID(acme, &ours))
		probe.MissThenHit(byID(other, nil))
		probe.Always(byID(nobody, nil))

		ours.Name = "Bridge"
		goldentest.Do(t, projects.Save(acme, ours))
		probe.MissThenHit(byID(acme, &ours))
		probe.Hit(byID(other, nil))
	})
}

func TestAnswersThatDependOnWhoAsks(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &tenancy.Projects{}
		projects := tenancy.NewCachedProjectRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		ada, bob, system := auth.With(t.Context(), "acme", 7), auth.With(t.Context(), "acme", 8), auth.With(t.Context(), "acme", 0)
		mine := func(ctx context.Context, want []tenancy.Project) func() {
			return func() {
				got, err := projects.Mine(ctx)
				goldentest.Want(t, got, err, want)
			}
		}
		wall := tenancy.Project{ID: 1, Org: "acme", Owner: 7, Name: "Wall"}
		goldentest.Do(t, projects.Save(ada, wall))
		probe.MissThenHit(mine(ada, []tenancy.Project{wall}))
		probe.MissThenHit(mine(bob, nil))
		probe.MissThenHit(mine(system, nil))

		moat := tenancy.Project{ID: 2, Org: "acme", Owner: 8, Name: "Moat"}
		goldentest.Do(t, projects.Save(ada, moat)) // ada writes what bob sees
		probe.MissThenHit(mine(bob, []tenancy.Project{moat}))
		probe.Hit(mine(ada, []tenancy.Project{wall}))

		welcome := func(ctx context.Context, want string) func() {
			return func() {
				got, err := projects.Welcome(ctx, 1)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(welcome(auth.WithLanguage(ada, "en"), "en:7:Wall"))
		probe.MissThenHit(welcome(auth.WithLanguage(ada, "de"), "de:7:Wall"))
		probe.MissThenHit(welcome(auth.WithLanguage(bob, "de"), "de:8:Wall"))
		probe.Always(welcome(ada, ":7:Wall")) // no language: nothing to keep it under
		wall.Name = "Bridge"
		goldentest.Do(t, projects.Save(ada, wall))
		probe.MissThenHit(welcome(auth.WithLanguage(bob, "de"), "de:8:Bridge"))
	})
}
