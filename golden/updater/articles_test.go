package updater_test

import (
	"errors"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/updater"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

type fixture struct {
	t        *testing.T
	source   *updater.Memory
	articles *updater.CachedArticleRepo
	probe    *goldentest.Probe
}

func setUp(t *testing.T, cache *cachert.Cache) fixture {
	source := &updater.Memory{}
	f := fixture{t, source, updater.NewCachedArticleRepo(source, cache), goldentest.Watch(t, cache, source)}
	goldentest.Do(t, f.articles.Put(t.Context(), updater.Article{ID: 1, Text: "a"}))
	goldentest.Do(t, f.articles.Put(t.Context(), updater.Article{ID: 2, Text: "b"}))
	f.probe.MissThenHit(f.get(1, updater.Article{ID: 1, Text: "a", Version: 1}))
	return f
}

func (f fixture) get(id int64, want updater.Article) func() {
	return func() {
		f.t.Helper()
		got, err := f.articles.Get(f.t.Context(), id)
		goldentest.Want(f.t, got, err, want)
	}
}

func TestUpdateIsWrittenThrough(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		want := updater.Article{ID: 1, Text: "ab", Related: []int64{2}, Version: 2}
		related := []int64{2}
		got, err := f.articles.Update(t.Context(), 1, func(old updater.Article) (updater.Article, error) {
			old.Text += "b"
			old.Related = related
			return old, nil
		})
		goldentest.Want(t, got, err, want)
		related[0], got.Related[0] = 9, 9
		f.probe.Hit(f.get(1, want))

		goldentest.Do(t, f.articles.Edit(t.Context(), 1, func(row *updater.Article) { row.Text = "abc" }))
		want.Text, want.Version = "abc", 3
		f.probe.Hit(f.get(1, want)) // reloaded by the write
	})
}

// A reader in the middle of a write sees the old row, and does not bring it back.
func TestReaderDuringTheWriteStoresNothing(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		_, err := f.articles.Update(t.Context(), 1, func(old updater.Article) (updater.Article, error) {
			f.probe.Always(f.get(1, old))
			old.Text = "ab"
			return old, nil
		})
		goldentest.Do(t, err)
		f.probe.Hit(f.get(1, updater.Article{ID: 1, Text: "ab", Version: 2}))
	})
}

func TestEditMayCallTheStoreAgain(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		first := true
		got, err := f.articles.Update(t.Context(), 1, func(old updater.Article) (updater.Article, error) {
			other, err := f.articles.Get(t.Context(), 2)
			goldentest.Do(t, err)
			same, err := f.articles.Get(t.Context(), 1) // the row under update
			goldentest.Want(t, same, err, old)
			if first { // somebody else is faster: the source runs this function again
				first = false
				goldentest.Do(t, f.articles.Put(t.Context(), updater.Article{ID: 1, Text: "x"}))
			}
			old.Text += other.Text
			return old, nil
		})
		want := updater.Article{ID: 1, Text: "xb", Version: 3}
		goldentest.Want(t, got, err, want)
		goldentest.Equal(t, f.source.Edits, 2)
		f.probe.MissThenHit(f.get(1, want)) // two writes overlapped, so neither wrote through
	})
}

func TestUpdateThatFails(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		stop := errors.New("stop")
		_, err := f.articles.Update(t.Context(), 1, func(updater.Article) (updater.Article, error) {
			return updater.Article{}, stop
		})
		if err != stop {
			t.Fatal(err)
		}
		f.probe.MissThenHit(f.get(1, updater.Article{ID: 1, Text: "a", Version: 1}))
		if err := f.articles.Edit(t.Context(), 3, func(*updater.Article) {}); err != updater.ErrGone {
			t.Fatal(err)
		}
	})
}
