package sizes_test

import (
	"strings"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/sizes"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestWhatIsTooLargeIsNotStored(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		db := &sizes.Notes{}
		repo := sizes.NewCachedNoteRepo(db, cache)
		probe := goldentest.Watch(t, cache, db)
		save := func(id int64, size int) {
			goldentest.Do(t, repo.Save(t.Context(), &sizes.Note{ID: id, Text: strings.Repeat("x", size)}))
		}
		byID := func(id int64, size int) func() {
			return func() {
				n, err := repo.ByID(t.Context(), id)
				goldentest.Want(t, len(n.Text), err, size)
			}
		}
		all := func(want int) func() {
			return func() {
				notes, err := repo.All(t.Context())
				goldentest.Want(t, len(notes), err, want)
			}
		}
		save(1, 100)
		probe.Hit(byID(1, 100)) // written through
		save(2, 1000)           // its entry is larger than 1000 bytes
		probe.Miss(byID(2, 1000))
		probe.Miss(byID(2, 1000))
		probe.MissThenHit(all(2))
		save(3, 64<<10)
		probe.Miss(all(3))
		probe.Miss(all(3))
		probe.Hit(byID(1, 100))
	})
}
