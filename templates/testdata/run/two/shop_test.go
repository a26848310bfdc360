package shop

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

type shop struct {
	*testing.T
	cache *cachert.Cache
	src   *Memory
	books *CachedRepo
	shelf *CachedShelf
}

func open(t *testing.T) shop {
	t.Helper()
	cache, err := cachert.Open(cachert.Options{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	src := &Memory{
		Books:   map[int64]Book{1: {1, "Emma"}, 2: {2, "Persuasion"}},
		Shelves: map[string][]int64{"a": {1}, "b": {2}},
	}
	return shop{t, cache, src, NewCachedRepo(src, cache), NewCachedShelf(src, cache)}
}

// calls runs f and fails unless it reached the source want times.
func (s shop) calls(want int, what string, f func()) {
	s.Helper()
	before := s.src.Calls
	f()
	if got := s.src.Calls - before; got != want {
		s.Errorf("%s: %d calls of the source, want %d", what, got, want)
	}
}

// first fails unless the tenant's first book has this title, "" for none.
func (s shop) first(ctx context.Context, want string) {
	s.Helper()
	b, err := s.shelf.First(ctx)
	if err != nil {
		s.Fatal(err)
	}
	got := ""
	if b != nil {
		got = b.Title
	}
	if got != want {
		s.Errorf("first is %q, want %q", got, want)
	}
}

func (s shop) must(err error) {
	s.Helper()
	if err != nil {
		s.Fatal(err)
	}
}

func tenants() (a, b, nobody context.Context) {
	nobody = context.Background()
	return cachert.WithTenant(nobody, "a"), cachert.WithTenant(nobody, "b"), nobody
}

func TestTenantsNeverSeeEachOther(t *testing.T) {
	s := open(t)
	a, b, nobody := tenants()
	s.first(a, "Emma") // twice: its row tag is predicted from here on
	s.first(b, "Persuasion")
	s.calls(0, "First of both, again", func() { s.first(a, "Emma"); s.first(b, "Persuasion") })
	s.calls(2, "First without a tenant is never stored", func() { s.first(nobody, ""); s.first(nobody, "") })
	s.calls(2, "Has of both", func() {
		for range 2 {
			if book, ok, err := s.shelf.Has(a, 1); !ok || err != nil || book.Title != "Emma" {
				t.Error(book, ok, err)
			}
			if _, ok, err := s.shelf.Has(b, 1); ok || err != nil {
				t.Error("b has a's book", err)
			}
		}
	})

	s.must(s.shelf.Put(b, 1))
	s.calls(0, "a's shelf after a write of b", func() { s.first(a, "Emma") })
	s.calls(1, "b's shelf after a write of b", func() {
		if _, ok, _ := s.shelf.Has(b, 1); !ok {
			t.Error("b does not see its own write")
		}
	})
}

func TestWriteWithoutATenantReachesAll(t *testing.T) {
	s := open(t)
	a, b, nobody := tenants()
	s.first(a, "Emma")
	s.first(b, "Persuasion")
	s.src.Shelves["a"], s.src.Shelves["b"] = nil, nil // what is being put where cannot be known
	s.must(s.shelf.Put(nobody, 1))
	s.first(a, "")
	s.first(b, "")
}

func TestTagsOfTheOtherRepository(t *testing.T) {
	s := open(t)
	a, b, _ := tenants()
	byID := func(id int64) string {
		if book, err := s.books.ByID(a, id); err == nil {
			return book.Title
		} else if err != ErrNotFound {
			t.Fatal(err)
		}
		return ""
	}
	s.must(s.shelf.Put(b, 1))
	s.src.Shelves["b"] = []int64{1, 2}
	s.first(a, "Emma")
	s.first(b, "Emma")
	if byID(1) != "Emma" {
		t.Error("before")
	}

	s.must(s.cache.Drain(a)) // the fills are stored
	if _, err := s.books.Rename(a, 1, "Emma II"); err != nil {
		t.Fatal(err)
	}
	s.first(a, "Emma II") // the shelf depends on the book's tag, which has no tenant
	s.first(b, "Emma II")
	s.calls(0, "ByID after the put of Rename", func() {
		if byID(1) != "Emma II" {
			t.Error("old title")
		}
	})

	s.must(s.shelf.Burn(a))
	if byID(1) != "" {
		t.Error("burnt, and still in the other repository")
	}
	s.first(a, "")
	s.first(b, "Persuasion") // of another tenant, which the book's tag reaches

	s.must(s.shelf.Close(a))
	if byID(2) != "" {
		t.Error("something survived drop=shop/*")
	}
	s.first(b, "") // drop=* is for all tenants
}
