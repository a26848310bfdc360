package writeerror_test

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/writeerror"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

type fixture struct {
	t      *testing.T
	source *writeerror.Memory
	books  *writeerror.CachedBookRepo
	probe  *goldentest.Probe
}

func setUp(t *testing.T, cache *cachert.Cache) fixture {
	source := &writeerror.Memory{}
	return fixture{t, source, writeerror.NewCachedBookRepo(source, cache), goldentest.Watch(t, cache, source)}
}

func (f fixture) byID(id int64, want *writeerror.Book, wantErr error) func() {
	return func() {
		f.t.Helper()
		got, err := f.books.ByID(f.t.Context(), id)
		goldentest.WantErr(f.t, got, err, want, wantErr)
	}
}

func (f fixture) byISBN(isbn string, want *writeerror.Book, wantErr error) func() {
	return func() {
		f.t.Helper()
		got, err := f.books.ByISBN(f.t.Context(), isbn)
		goldentest.WantErr(f.t, got, err, want, wantErr)
	}
}

func TestWriteThatFailedAfterTheCommitInvalidates(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		goldentest.Do(t, f.books.Insert(t.Context(), &writeerror.Book{ISBN: "1", Title: "Emma"}))
		f.probe.MissThenHit(f.byID(1, &writeerror.Book{ID: 1, ISBN: "1", Title: "Emma", Version: 1}, nil))
		f.probe.MissThenHit(f.byISBN("1", &writeerror.Book{ID: 1, ISBN: "1", Title: "Emma", Version: 1}, nil))

		f.source.After = writeerror.ErrNotify
		want := &writeerror.Book{ID: 1, ISBN: "1", Title: "Persuasion", Version: 2}
		got, err := f.books.Rename(t.Context(), 1, "Persuasion")
		goldentest.WantErr(t, got, err, want, writeerror.ErrNotify)
		f.probe.MissThenHit(f.byID(1, want, nil)) // not written through: the write has failed
		f.probe.MissThenHit(f.byISBN("1", want, nil))
	})
}

// After a time-out nobody can say whether the database has committed, or will: until the
// write's lease ends the source answers.
func TestWriteWithUnknownOutcome(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		goldentest.Do(t, f.books.Insert(t.Context(), &writeerror.Book{ISBN: "1", Title: "Emma"}))
		f.probe.MissThenHit(f.byID(1, &writeerror.Book{ID: 1, ISBN: "1", Title: "Emma", Version: 1}, nil))

		f.source.After = context.DeadlineExceeded
		if _, err := f.books.Rename(t.Context(), 1, "Persuasion"); err != context.DeadlineExceeded {
			t.Fatal(err)
		}
		before := f.source.CallsOf("ByID") // Drain would wait for the end of the lease
		for range 3 {
			f.byID(1, &writeerror.Book{ID: 1, ISBN: "1", Title: "Persuasion", Version: 2}, nil)()
		}
		goldentest.Equal(t, f.source.CallsOf("ByID")-before, 3)
	})
}

func TestKeysAreMadeBeforeAndAfterTheWrite(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.probe.MissThenHit(f.byID(1, nil, writeerror.ErrNotFound))
		f.probe.MissThenHit(f.byISBN("9-8", nil, writeerror.ErrNotFound))
		f.probe.MissThenHit(f.byISBN("98", nil, writeerror.ErrNotFound))

		book := &writeerror.Book{ISBN: "9-8", Title: "Emma", Labels: []string{"novel"}}
		goldentest.Do(t, f.books.Insert(t.Context(), book))
		want := &writeerror.Book{ID: 1, ISBN: "98", Title: "Emma", Labels: []string{"novel"}, Version: 1}
		goldentest.Equal(t, book, want) // the caller sees what was filled in
		book.Title, book.Labels[0] = "mine", "mine"

		f.probe.MissThenHit(f.byID(1, want, nil))
		f.probe.MissThenHit(f.byISBN("98", want, nil))
		f.probe.MissThenHit(f.byISBN("9-8", nil, writeerror.ErrNotFound)) // may have been the key
	})
}

func TestArgumentIsStoredAsTheWriteLeftIt(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		book := &writeerror.Book{ISBN: "9-8", Title: "Emma", Labels: []string{"novel"}}
		goldentest.Do(t, f.books.Save(t.Context(), book))
		want := &writeerror.Book{ID: 1, ISBN: "98", Title: "Emma", Labels: []string{"novel"}, Version: 1}
		book.Title, book.Labels[0] = "mine", "mine" // not the cache's copy
		f.probe.Hit(f.byID(1, want, nil))

		f.probe.MissThenHit(f.byISBN("98", want, nil))

		book.Title, book.Labels[0] = "Emma II", "sequel"
		goldentest.Do(t, f.books.Save(t.Context(), book))
		want = &writeerror.Book{ID: 1, ISBN: "98", Title: "Emma II", Labels: []string{"sequel"}, Version: 2}
		f.probe.Hit(f.byID(1, want, nil))
		f.probe.MissThenHit(f.byISBN("98", want, nil))

		f.source.After = writeerror.ErrNotify
		book.Title = "Emma III"
		if err := f.books.Save(t.Context(), book); err != writeerror.ErrNotify {
			t.Fatal(err)
		}
		want.Title, want.Version = "Emma III", 3
		f.probe.MissThenHit(f.byID(1, want, nil))
	})
}
