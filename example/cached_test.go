package bookshop_test

import (
	"path/filepath"
	"reflect"
	"testing"
	"time"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/example/sqlstore"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// Whoever gets a book may do with it what he likes: nobody else sees it.
func TestCallersOwnWhatTheyGet(t *testing.T) {
	db, err := sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "shop.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if _, err := db.Seed(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	cache, err := cachert.Open(cachert.Options{Namespace: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	source, books := db.Repos().Books, bookshop.Cached(db.Repos(), cache).Books

	want, err := source.ByID(t.Context(), 10) // one with a time behind a pointer
	if err != nil {
		t.Fatal(err)
	}
	for range 4 { // from the source, from the store, from near
		got, err := books.ByID(t.Context(), 10)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Fatalf("got %+v, %v; the database holds %+v", got, err, want)
		}
		got.Title, got.Tags[0], *got.DiscontinuedAt = "mine", "mine", time.Time{}

		list, err := books.ListByAuthor(t.Context(), 1, bookshop.Page{Limit: 20})
		if err != nil || len(list) != 20 || list[0].Title == "mine" || list[0].Tags[0] == "mine" {
			t.Fatalf("a list of %d, %v, first %+v", len(list), err, list[0])
		}
		list[0].Title, list[0].Tags[0] = "mine", "mine"
		if err := cache.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}
