package bulk_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/bulk"
	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestWritesThatDoNotNameTheirRows(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &bulk.Memory{}
		repos := bulk.NewCachedRepoStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		get := func(want bulk.Repo) func() {
			return func() {
				got, err := repos.Get(t.Context(), want.ID)
				goldentest.Want(t, got, err, want)
			}
		}
		forks := func(want ...bulk.Repo) func() {
			return func() {
				got, err := repos.ForksOf(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			}
		}
		stars := func(id int64, want int) func() {
			return func() {
				got, err := repos.Stars(t.Context(), id)
				goldentest.Want(t, got, err, want)
			}
		}
		origin, fork, other := bulk.Repo{ID: 1, Owner: 7}, bulk.Repo{ID: 2, Owner: 8, Parent: 1}, bulk.Repo{ID: 3, Owner: 9}
		for _, repo := range []bulk.Repo{origin, fork, other} {
			goldentest.Do(t, repos.Create(t.Context(), repo))
		}
		probe.MissThenHit(get(origin))
		probe.MissThenHit(get(fork))
		probe.MissThenHit(get(other))
		probe.MissThenHit(forks(fork))
		probe.MissThenHit(stars(1, 0))

		goldentest.Do(t, repos.Star(t.Context(), 1, 3))
		origin.Stars = 3
		probe.MissThenHit(stars(1, 3))
		probe.MissThenHit(get(origin))
		probe.Hit(get(fork))

		n, err := repos.ArchiveAll(t.Context(), 8)
		goldentest.Want(t, n, err, 1)
		fork.Archived = true
		probe.MissThenHit(get(fork))
		probe.MissThenHit(forks(fork))
		probe.Hit(get(origin))
		probe.Hit(get(other))

		goldentest.Do(t, repos.Recount(t.Context()))
		origin.Forks = 1
		probe.MissThenHit(get(origin))
		probe.MissThenHit(get(fork))
		probe.MissThenHit(get(other))
		probe.MissThenHit(forks(fork))
		probe.MissThenHit(stars(1, 3))

		// a repository replaced by another owner's, and a new fork
		other.Owner, other.Parent, other.Stars = 8, 1, 5
		probe.MissThenHit(stars(3, 0))
		goldentest.Do(t, repos.Create(t.Context(), other))
		probe.MissThenHit(stars(3, 5))
		probe.MissThenHit(get(other))
		probe.MissThenHit(forks(fork, other))
		probe.MissThenHit(get(fork))                   // owner 8 has one more
		late := bulk.Repo{ID: 4, Owner: 10, Parent: 1} // of an owner that no list has seen
		goldentest.Do(t, repos.Create(t.Context(), late))
		probe.MissThenHit(forks(fork, other, late))
	})
}
