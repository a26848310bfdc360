package embedded_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/embedded"
	"github.com/cachegen/cachegen/golden/embedded/audit"
	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestPromotedMethods(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &embedded.Memory{}
		members := embedded.NewCachedMemberRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		var reader embedded.Reader = members
		var log audit.Log = members
		name := func(want string) func() {
			return func() {
				got, err := reader.Name(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			}
		}
		last := func(want string) func() {
			return func() {
				got, err := log.Last(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(name(""))
		probe.MissThenHit(last(""))
		goldentest.Do(t, members.SetName(t.Context(), 1, "Ada"))
		probe.MissThenHit(name("Ada"))
		probe.Hit(last(""))
		goldentest.Do(t, log.Append(t.Context(), 1, "renamed"))
		probe.MissThenHit(last("renamed"))
		probe.Hit(name("Ada"))

		goldentest.Do(t, log.Flush())
		goldentest.Do(t, members.Close())
		goldentest.Equal(t, source.Flushed, 1)
		goldentest.Equal(t, source.Closed, 1)
	})
}
