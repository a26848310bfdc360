package writethrough_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/writethrough"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

type fixture struct {
	t     *testing.T
	books *writethrough.CachedBookRepo
	probe *goldentest.Probe
	emma  writethrough.Book // as the database holds it
}

func setUp(t *testing.T, cache *cachert.Cache) *fixture {
	t.Helper()
	source := &writethrough.Memory{}
	f := &fixture{t: t, books: writethrough.NewCachedBookRepo(source, cache), probe: goldentest.Watch(t, cache, source)}
	f.emma = writethrough.Book{ID: 1, Author: 7, ISBN: "111", Title: "Emma", Labels: []string{"novel"}, Version: 1}
	created, err := f.books.Create(t.Context(), writethrough.Book{Author: 7, ISBN: "111", Title: "Emma", Labels: []string{"novel"}})
	goldentest.Want(t, created, err, &f.emma)
	created.Labels[0] = "mine" // the caller's own
	return f
}

func (f *fixture) byID() {
	f.t.Helper()
	got, err := f.books.ByID(f.t.Context(), 1)
	goldentest.Want(f.t, got, err, &f.emma)
	got.Labels[0] = "mine"
}

func (f *fixture) value() {
	f.t.Helper()
	got, err := f.books.Value(f.t.Context(), 1)
	goldentest.Want(f.t, got, err, f.emma)
	got.Labels[0] = "mine"
}

func (f *fixture) byISBN() {
	f.t.Helper()
	got, err := f.books.ByISBN(f.t.Context(), f.emma.ISBN)
	goldentest.Want(f.t, got, err, &f.emma)
}

func (f *fixture) byAuthor() {
	f.t.Helper()
	got, err := f.books.ByAuthor(f.t.Context(), f.emma.Author)
	goldentest.Want(f.t, got, err, []writethrough.Book{f.emma})
}

func TestReturnedRowIsStored(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.probe.Hit(f.byID) // stored by Create
		f.probe.MissThenHit(f.value)
		f.probe.MissThenHit(f.byISBN)
		f.probe.MissThenHit(f.byAuthor)

		renamed, err := f.books.Rename(t.Context(), 1, "Emma II")
		f.emma.Title, f.emma.Version = "Emma II", 2
		goldentest.Want(t, renamed, err, &f.emma)
		renamed.Labels[0] = "mine"
		f.probe.Hit(f.byID)
		f.probe.Hit(f.value)
		f.probe.MissThenHit(f.byISBN)
		f.probe.MissThenHit(f.byAuthor)
	})
}

func TestArgumentIsStored(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.probe.MissThenHit(f.byISBN)
		f.probe.MissThenHit(f.byAuthor)
		f.emma.ISBN, f.emma.Author, f.emma.Version = "222", 8, 2
		mine := f.emma
		mine.Labels = []string{"novel"}
		goldentest.Do(t, f.books.Replace(t.Context(), mine))
		mine.Labels[0] = "mine"
		f.probe.Hit(f.byID)
		f.probe.MissThenHit(f.value)
		f.probe.MissThenHit(f.byISBN)
		f.probe.MissThenHit(f.byAuthor)
		f.probe.MissThenHit(func() { // the old key
			got, err := f.books.ByISBN(t.Context(), "111")
			goldentest.WantErr(t, got, err, nil, writethrough.ErrNotFound)
		})
		f.probe.MissThenHit(func() { // the old list
			got, err := f.books.ByAuthor(t.Context(), 7)
			goldentest.Want(t, got, err, nil)
		})
	})
}

func TestRowIsReadAgain(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.probe.MissThenHit(f.byISBN)
		labels := []string{"classic", "novel"}
		goldentest.Do(t, f.books.Relabel(t.Context(), 1, labels...))
		labels[0] = "mine"
		f.emma.Labels, f.emma.Version = []string{"classic", "novel"}, 2
		f.probe.Hit(f.byID)
		f.probe.Hit(f.value)
		f.probe.MissThenHit(f.byISBN)
	})
}

func TestOldRowTellsWhatEnds(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.probe.MissThenHit(f.byISBN)
		f.probe.MissThenHit(f.byAuthor)
		goldentest.Do(t, f.books.Delete(t.Context(), 1))
		f.probe.MissThenHit(func() {
			got, err := f.books.ByID(t.Context(), 1)
			goldentest.WantErr(t, got, err, nil, writethrough.ErrNotFound)
		})
		f.probe.MissThenHit(func() {
			got, err := f.books.ByISBN(t.Context(), "111")
			goldentest.WantErr(t, got, err, nil, writethrough.ErrNotFound)
		})
		f.probe.MissThenHit(func() {
			got, err := f.books.ByAuthor(t.Context(), 7)
			goldentest.Want(t, got, err, nil)
		})
		if err := f.books.Delete(t.Context(), 1); err != writethrough.ErrNotFound { // no old row
			t.Error(err)
		}
		if got, err := f.books.Rename(t.Context(), 1, "x"); err != writethrough.ErrNotFound || got != nil {
			t.Error(got, err)
		}
	})
}
