package writethrough_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/writethrough"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// Whatever was written, in whatever order: each read answers as the source does.
func TestReadsAgreeWithTheSource(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		ctx, random := t.Context(), rand.New(rand.NewPCG(1, 2))
		source := &writethrough.Memory{}
		books := writethrough.NewCachedBookRepo(source, cache)
		one := func(text string) string { return fmt.Sprint(text, random.IntN(3)) }
		for step := range 200 {
			id := random.Int64N(6)
			switch random.IntN(6) {
			case 0:
				_, _ = books.Create(ctx, writethrough.Book{Author: random.Int64N(3), ISBN: one("isbn"), Title: one("title")})
			case 1:
				_, _ = books.Rename(ctx, id, one("title"))
			case 2:
				_ = books.Relabel(ctx, id, one("label"), one("label"))
			case 3:
				_ = books.Delete(ctx, id)
			case 4: // the caller knows the row, as value=arg demands
				if old, err := source.Value(ctx, id); err == nil {
					old.Author, old.ISBN = random.Int64N(3), one("isbn")
					old.Version++
					goldentest.Do(t, books.Replace(ctx, old))
				}
			case 5:
				goldentest.Do(t, cache.Drain(ctx))
			}
			for id := range int64(6) {
				want, wantErr := source.ByID(ctx, id)
				got, err := books.ByID(ctx, id)
				goldentest.WantErr(t, got, err, want, wantErr)
				value, wantErr := source.Value(ctx, id)
				gotValue, err := books.Value(ctx, id)
				goldentest.WantErr(t, gotValue, err, value, wantErr)
			}
			for n := range 3 {
				isbn := fmt.Sprint("isbn", n)
				want, wantErr := source.ByISBN(ctx, isbn)
				got, err := books.ByISBN(ctx, isbn)
				goldentest.WantErr(t, got, err, want, wantErr)
				list, wantErr := source.ByAuthor(ctx, int64(n))
				gotList, err := books.ByAuthor(ctx, int64(n))
				goldentest.WantErr(t, gotList, err, list, wantErr)
			}
			if t.Failed() {
				t.Fatalf("step %d", step)
			}
		}
	})
}

// A read that begins after a write has returned sees that write or a later one, whoever
// writes and reads meanwhile.
func TestNobodyReadsBehindAWriteThatHasReturned(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		var done atomic.Int64 // the highest version whose write has returned
		done.Store(1)
		var all sync.WaitGroup
		for range 2 {
			all.Go(func() {
				for i := range 100 {
					book, err := f.books.Rename(t.Context(), 1, fmt.Sprint(i))
					if err != nil {
						t.Error(err)
						return
					}
					for old := done.Load(); old < int64(book.Version) && !done.CompareAndSwap(old, int64(book.Version)); {
						old = done.Load()
					}
				}
			})
		}
		for range 4 {
			all.Go(func() {
				for range 300 {
					least := done.Load()
					byID, err1 := f.books.ByID(t.Context(), 1)
					value, err2 := f.books.Value(t.Context(), 1)
					list, err3 := f.books.ByAuthor(t.Context(), 7)
					if err1 != nil || err2 != nil || err3 != nil {
						t.Error(err1, err2, err3)
						return
					}
					if min(byID.Version, value.Version, list[0].Version) < int(least) {
						t.Errorf("versions %d, %d and %d after %d was written", byID.Version, value.Version, list[0].Version, least)
					}
				}
			})
		}
		all.Wait()
		for _, read := range []func() (int, error){
			func() (int, error) { b, err := f.books.ByID(t.Context(), 1); return b.Version, err },
			func() (int, error) { b, err := f.books.Value(t.Context(), 1); return b.Version, err },
		} {
			version, err := read()
			goldentest.Want(t, version, err, 201)
		}
	})
}
