package rawsql_test

import (
	"context"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/rawsql"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestInvalidateByHand(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		db := &rawsql.Database{}
		pages := rawsql.NewCachedPageRepo(rawsql.Pages{Database: db}, cache)
		comments := rawsql.NewCachedCommentRepo(rawsql.Comments{Database: db}, cache)
		probe := goldentest.Watch(t, cache, db)
		acme, other := cachert.WithTenant(t.Context(), "acme"), cachert.WithTenant(t.Context(), "other")
		text := func(id int64, want string) func() {
			return func() {
				got, err := pages.Text(t.Context(), "main", id)
				goldentest.Want(t, got, err, want)
			}
		}
		count := func(ctx context.Context, want int) func() {
			return func() {
				got, err := comments.Count(ctx, 1)
				goldentest.Want(t, got, err, want)
			}
		}
		goldentest.Do(t, pages.Write(t.Context(), "main", 1, "one"))
		goldentest.Do(t, pages.Write(t.Context(), "main", 2, "two"))
		goldentest.Do(t, comments.Add(acme, 1, "nice"))
		goldentest.Do(t, comments.Add(other, 1, "no"))
		probe.MissThenHit(text(1, "one"))
		probe.MissThenHit(text(2, "two"))
		probe.MissThenHit(count(acme, 1))
		probe.MissThenHit(count(other, 1))

		db.ExecPages("raw")
		probe.Hit(text(1, "one")) // nobody has told the cache
		goldentest.Do(t, cache.Invalidate(t.Context(), func(tags *cachert.Tags) { tags.Tag("pages/page").Str("main").Int(1) }))
		probe.MissThenHit(text(1, "raw"))
		probe.Hit(text(2, "two"))
		goldentest.Do(t, cache.InvalidateRepo(t.Context(), "pages"))
		probe.MissThenHit(text(1, "raw"))
		probe.MissThenHit(text(2, "raw"))
		probe.Hit(count(acme, 1))

		db.TruncateComments()
		goldentest.Do(t, cache.Invalidate(acme, func(tags *cachert.Tags) { tags.Tag("comments/page").Int(1) }))
		probe.MissThenHit(count(acme, 0))
		probe.Hit(count(other, 1)) // another tenant's tag
		goldentest.Do(t, cache.InvalidateRepo(acme, "comments"))
		probe.MissThenHit(count(other, 0))
		probe.Hit(text(1, "raw"))

		probe.MissThenHit(count(acme, 0))
		goldentest.Do(t, pages.Write(t.Context(), "main", 2, "written"))
		goldentest.Do(t, comments.Add(acme, 1, "again"))
		probe.MissThenHit(text(2, "written"))
		probe.MissThenHit(count(acme, 1))
		probe.Hit(count(other, 0))

		goldentest.Do(t, cache.InvalidateAll(t.Context()))
		probe.MissThenHit(text(1, "raw"))
		probe.MissThenHit(count(acme, 1))
	})
}
