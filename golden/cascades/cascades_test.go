package cascades_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/cascades"
	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestWritesReachOtherRepositories(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		db := &cascades.Database{}
		authors := cascades.NewCachedAuthorRepo(cascades.Authors{Database: db}, cache)
		books := cascades.NewCachedBookRepo(cascades.Books{Database: db}, cache)
		orders := cascades.NewCachedOrderRepo(cascades.Orders{Database: db}, cache)
		probe := goldentest.Watch(t, cache, db)
		ctx := t.Context()

		author := func(id int64, want *cascades.Author) func() {
			return func() {
				got, err := authors.ByID(ctx, id)
				goldentest.Want(t, got, err, want)
			}
		}
		book := func(id int64, want *cascades.Book) func() {
			return func() {
				got, err := books.ByID(ctx, id)
				goldentest.Want(t, got, err, want)
			}
		}
		count := func(want int) func() {
			return func() {
				got, err := books.Count(ctx)
				goldentest.Want(t, got, err, want)
			}
		}
		total := func(customer int64, want int) func() {
			return func() {
				got, err := orders.Total(ctx, customer)
				goldentest.Want(t, got, err, want)
			}
		}

		for id, name := range []string{"", "Austen", "Woolf"} {
			goldentest.Do(t, authors.Save(ctx, cascades.Author{ID: int64(id), Name: name}))
			goldentest.Do(t, books.Save(ctx, cascades.Book{ID: int64(id) * 10, AuthorID: int64(id)}))
		}
		probe.MissThenHit(book(10, &cascades.Book{ID: 10, AuthorID: 1, AuthorName: "Austen"}))
		probe.MissThenHit(book(20, &cascades.Book{ID: 20, AuthorID: 2, AuthorName: "Woolf"}))
		probe.MissThenHit(count(3))

		// the repositories' own tags
		probe.MissThenHit(book(30, nil))
		probe.MissThenHit(author(3, nil))
		probe.MissThenHit(total(5, 0))
		goldentest.Do(t, authors.Save(ctx, cascades.Author{ID: 3, Name: "Joyce"}))
		goldentest.Do(t, books.Save(ctx, cascades.Book{ID: 30, AuthorID: 3}))
		probe.MissThenHit(author(3, &cascades.Author{ID: 3, Name: "Joyce"}))
		probe.MissThenHit(book(30, &cascades.Book{ID: 30, AuthorID: 3, AuthorName: "Joyce"}))
		probe.MissThenHit(count(4))
		goldentest.Do(t, books.Save(ctx, cascades.Book{ID: 30, AuthorID: 3, Sold: 1}))
		probe.MissThenHit(book(30, &cascades.Book{ID: 30, AuthorID: 3, AuthorName: "Joyce", Sold: 1}))

		// a computed column
		goldentest.Do(t, orders.Place(ctx, 5, 10, 2))
		probe.MissThenHit(book(10, &cascades.Book{ID: 10, AuthorID: 1, AuthorName: "Austen", Sold: 2}))
		probe.Hit(book(20, &cascades.Book{ID: 20, AuthorID: 2, AuthorName: "Woolf"}))
		probe.MissThenHit(total(5, 2))

		// a join
		goldentest.Do(t, authors.Save(ctx, cascades.Author{ID: 2, Name: "V. Woolf"}))
		probe.MissThenHit(book(20, &cascades.Book{ID: 20, AuthorID: 2, AuthorName: "V. Woolf"}))
		probe.Hit(book(10, &cascades.Book{ID: 10, AuthorID: 1, AuthorName: "Austen", Sold: 2}))
		probe.MissThenHit(count(4))

		// a foreign key that cascades
		probe.MissThenHit(author(2, &cascades.Author{ID: 2, Name: "V. Woolf"}))
		probe.MissThenHit(author(1, &cascades.Author{ID: 1, Name: "Austen"}))
		goldentest.Do(t, authors.Delete(ctx, 1))
		probe.MissThenHit(author(1, nil))
		probe.MissThenHit(book(10, nil))
		probe.MissThenHit(count(3))
		probe.Hit(author(2, &cascades.Author{ID: 2, Name: "V. Woolf"}))
		probe.Hit(total(5, 2))
	})
}
