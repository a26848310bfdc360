package shop

import (
	"context"
	"errors"
	"runtime"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

func open(t *testing.T) (*Memory, *CachedRepo) {
	t.Helper()
	_, src, repo := openCache(t)
	return src, repo
}

func openCache(t *testing.T) (*cachert.Cache, *Memory, *CachedRepo) {
	t.Helper()
	cache, err := cachert.Open(cachert.Options{Namespace: "shop"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	src := New()
	return cache, src, NewCachedRepo(src, cache)
}

// calls runs f and fails unless it reached the source want times.
func calls(t *testing.T, src *Memory, want int, what string, f func()) {
	t.Helper()
	before := src.Calls()
	f()
	if got := src.Calls() - before; got != want {
		t.Errorf("%s: %d calls of the source, want %d", what, got, want)
	}
}

func must[V any](v V, err error) V {
	if err != nil {
		panic(err)
	}
	return v
}

func TestReadsAreAnsweredOnceAndCopied(t *testing.T) {
	ctx := context.Background()
	src, repo := open(t)
	b := must(repo.Create(ctx, &Book{Author: &Author{7}, Title: "Emma", Tags: []string{"a"}}))
	calls(t, src, 0, "ByID after the put of Create", func() {
		got := must(repo.ByID(ctx, b.ID))
		got.Tags[0], got.Author.ID = "changed", 99
		if again := must(repo.ByID(ctx, b.ID)); again.Tags[0] != "a" || again.Author.ID != 7 {
			t.Errorf("a caller changed the cache: %+v", again)
		}
	})
	calls(t, src, 1, "Find", func() {
		for range 3 {
			if got, ok, err := repo.Find(ctx, b.ID); !ok || err != nil || got.Title != "Emma" {
				t.Error(got, ok, err)
			}
		}
	})
	calls(t, src, 1, "CountByIDs", func() {
		for range 3 {
			if n := must(repo.CountByIDs(ctx, 1, 2, 3)); n != 1 {
				t.Error(n)
			}
		}
	})
	calls(t, src, 1, "CountByIDs of none", func() { must(repo.CountByIDs(ctx)) })
	calls(t, src, 1, "Total", func() { repo.Total(); repo.Total() })
}

func TestAbsenceInAllForms(t *testing.T) {
	ctx := context.Background()
	src, repo := open(t)
	calls(t, src, 1, "a sentinel", func() {
		for range 2 {
			if b, err := repo.ByID(ctx, 1); b != nil || err != ErrNotFound {
				t.Error(b, err)
			}
		}
	})
	calls(t, src, 1, "false", func() {
		for range 2 {
			if _, ok, err := repo.Find(ctx, 1); ok || err != nil {
				t.Error(ok, err)
			}
		}
	})
	calls(t, src, 1, "nil", func() {
		for range 2 {
			if b, err := repo.ByTitle(ctx, "x"); b != nil || err != nil {
				t.Error(b, err)
			}
		}
	})
	calls(t, src, 1, "only an error", func() {
		for range 2 {
			if err := repo.Check(ctx, 1); err != ErrNotFound {
				t.Error(err)
			}
		}
	})
	must(repo.Create(ctx, &Book{Title: "x"}))
	if b, err := repo.ByID(ctx, 1); b == nil || err != nil {
		t.Errorf("a negative entry survived the creation: %v, %v", b, err)
	}
	if b, err := repo.ByTitle(ctx, "X"); b == nil || err != nil {
		t.Errorf("a negative entry survived the creation: %v, %v", b, err)
	}
}

func TestKeysAreNormalisedSplitByUserAndBypassed(t *testing.T) {
	ctx := context.Background()
	src, repo := open(t)
	must(repo.Create(ctx, &Book{Title: "Emma"}))
	calls(t, src, 2, "ByTitle in three spellings: row tags are predicted after the first load", func() {
		must(repo.ByTitle(ctx, "EMMA"))
		must(repo.ByTitle(ctx, "emma"))
		must(repo.ByTitle(ctx, "Emma"))
	})
	calls(t, src, 2, "Mine of two users", func() {
		for range 2 {
			if one, two := must(repo.Mine(WithUser(ctx, 1))), must(repo.Mine(WithUser(ctx, 2))); one[0] != 1 || two[0] != 2 {
				t.Errorf("one user sees another's answer: %v %v", one, two)
			}
		}
	})
	calls(t, src, 2, "Mine of nobody is never stored", func() { must(repo.Mine(ctx)); must(repo.Mine(ctx)) })
	calls(t, src, 2, "a locking read", func() {
		for range 2 {
			must(repo.ListByAuthor(ctx, nil, &Page{Lock: LockUpdate}))
		}
	})
}

func TestWritesReachEveryDependentEntry(t *testing.T) {
	ctx := context.Background()
	src, repo := open(t)
	author := int64(7)
	titles := func(author *int64) (n int) {
		for _, b := range must(repo.ListByAuthor(ctx, author, nil)) {
			if b != nil {
				n++
			}
		}
		return n
	}
	b := must(repo.Create(ctx, &Book{Author: &Author{author}, Title: "Emma"}))
	if titles(&author) != 1 || titles(nil) != 0 {
		t.Error("lists before the move")
	}
	if err := repo.Move(ctx, b.ID, nil); err != nil {
		t.Fatal(err)
	}
	if titles(&author) != 0 || titles(nil) != 1 {
		t.Error("the move to no author left an old list")
	}
	if err := repo.Move(ctx, b.ID, &Author{author}); err != nil {
		t.Fatal(err)
	}
	if titles(&author) != 1 || titles(nil) != 0 {
		t.Error("the move from no author left an old list")
	}
	must(repo.Rename(ctx, b.ID, "Persuasion"))
	calls(t, src, 0, "ByID and Find after the puts of Rename", func() {
		found, _, _ := repo.Find(ctx, b.ID)
		if must(repo.ByID(ctx, b.ID)).Title != "Persuasion" || found.Title != "Persuasion" {
			t.Error("old title")
		}
	})
	if got := must(repo.ListByAuthor(ctx, &author, nil)); got[1].Title != "Persuasion" {
		t.Error("the list kept the old title")
	}
	if err := repo.Delete(ctx, b.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := repo.ByID(ctx, b.ID); err != ErrNotFound || titles(&author) != 0 || repo.Total() != 0 {
		t.Error("something survived the deletion", err)
	}
	must(repo.Create(ctx, &Book{}))
	repo.Total()
	repo.Reset()
	if repo.Total() != 0 {
		t.Error("something survived drop=*")
	}
}

func TestWriteThatFailsAlthoughItCommitted(t *testing.T) {
	ctx := context.Background()
	src, repo := open(t)
	b := must(repo.Create(ctx, &Book{Title: "Emma"}))
	must(repo.ByID(ctx, b.ID))
	src.Fail = errors.New("late")
	got, err := repo.Rename(ctx, b.ID, "Persuasion")
	if err != src.Fail || got.Title != "Persuasion" {
		t.Errorf("%+v, %v: want the value and the error as they came", got, err)
	}
	if must(repo.ByID(ctx, b.ID)).Title != "Persuasion" {
		t.Error("old title after a write that failed and committed")
	}
}

// TestWriteThatFillsItsArgument: tags and entries are named before the write and again
// after it, and what is stored is the argument as it is then, not the argument itself.
func TestWriteThatFillsItsArgument(t *testing.T) {
	ctx := context.Background()
	authors := func(repo *CachedRepo, author int64) int { return len(must(repo.ListByAuthor(ctx, &author, nil))) - 1 }
	for _, failure := range []error{nil, errors.New("late")} {
		cache, src, repo := openCache(t)
		src.Fail = failure
		if _, err := repo.ByID(ctx, 1); err != ErrNotFound || authors(repo, 7) != 0 || authors(repo, -7) != 0 {
			t.Fatal("before", err)
		}
		if err := cache.Drain(ctx); err != nil { // all this is stored
			t.Fatal(err)
		}
		b := &Book{Author: &Author{-7}, Title: " Emma "}
		if err := repo.Save(ctx, b); err != failure || b.ID != 1 || b.Author.ID != 7 {
			t.Fatal(err, b)
		}
		b.Title, b.Author.ID = "changed by the caller", 99
		calls(t, src, 1, "ByID after Save: its tag was in use, unmarked, so nothing is written through", func() {
			for range 2 {
				if got := must(repo.ByID(ctx, 1)); got.Title != "Emma" || got.Author.ID != 7 {
					t.Errorf("%+v by %+v", got, got.Author)
				}
			}
		})
		if authors(repo, 7) != 1 {
			t.Error("the list of the author that the source filled in is old")
		}
		calls(t, src, 1, "the list of the author that was asked for", func() { authors(repo, -7) })

		b = &Book{Author: &Author{-8}, Title: " Persuasion "}
		if err := repo.Save(ctx, b); err != failure {
			t.Fatal(err)
		}
		b.Title, b.Author.ID = "changed by the caller", 99
		loads := 0
		if failure != nil {
			loads = 1
		}
		calls(t, src, loads, "ByID of what nobody has asked for before", func() {
			if got := must(repo.ByID(ctx, 2)); got.Title != "Persuasion" || got.Author.ID != 8 {
				t.Errorf("%+v by %+v", got, got.Author)
			}
		})
		if err := repo.Save(ctx, nil); err != ErrNotFound {
			t.Error(err)
		}
	}
}

// TestLoadThatOutlivesItsCall: a caller that gives up may change what it passed while the
// load goes on for others.
func TestLoadThatOutlivesItsCall(t *testing.T) {
	ctx := context.Background()
	cache, src, repo := openCache(t)
	must(repo.Create(ctx, &Book{Title: "Emma"}))
	ids := []int64{1, 2}
	filter := &Filter{IDs: []int64{1}, Titles: map[string]bool{"Emma": true}}
	for name, c := range map[string]struct {
		ask    func(context.Context) (int, error)
		change func()
	}{
		"CountByIDs": {
			func(ctx context.Context) (int, error) { return repo.CountByIDs(ctx, ids...) },
			func() { ids[0] = 99 },
		},
		"Search": {
			func(ctx context.Context) (int, error) {
				found, err := repo.Search(ctx, filter)
				return len(found), err
			},
			func() { filter.IDs[0] = 99; delete(filter.Titles, "Emma"); filter.IDs = nil },
		},
	} {
		src.Entered, src.Go = make(chan struct{}), make(chan struct{})
		first, giveUp := context.WithCancel(ctx)
		gone, other := make(chan error), make(chan int)
		go func() { _, err := c.ask(first); gone <- err }()
		<-src.Entered
		go func() { other <- must(c.ask(ctx)) }()
		for joined := uint64(0); joined == 0; {
			for _, m := range cache.Stats().Methods {
				if m.Method == name {
					joined = m.Joined
				}
			}
			runtime.Gosched()
		}
		giveUp()
		if err := <-gone; err != context.Canceled {
			t.Fatal(err)
		}
		c.change()
		close(src.Go)
		if n := <-other; n != 1 {
			t.Errorf("%s: another caller got an answer to what the first one asks now: %d", name, n)
		}
	}
}
