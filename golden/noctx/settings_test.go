package noctx_test

import (
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/noctx"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestWithoutContext(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &noctx.Memory{}
		settings := noctx.NewCachedSettingStore(source, cache)
		probe := goldentest.Watch(t, cache, source)
		get := func(group, name, want string, wantErr error) func() {
			return func() {
				got, err := settings.Get(group, name)
				goldentest.WantErr(t, got, err, want, wantErr)
			}
		}
		count := func(want int) func() {
			return func() {
				got, err := settings.Count()
				goldentest.Want(t, got, err, want)
			}
		}

		probe.MissThenHit(get("mail", "from", "", noctx.ErrUnset))
		probe.MissThenHit(count(0))
		goldentest.Do(t, settings.Set("mail", "from", "shop@example.com"))
		probe.MissThenHit(get("mail", "from", "shop@example.com", nil))
		probe.MissThenHit(count(1))

		goldentest.Do(t, settings.Set("ma", "ilfrom", "other"))
		probe.Hit(get("mail", "from", "shop@example.com", nil))
		probe.MissThenHit(get("ma", "ilfrom", "other", nil))
		probe.MissThenHit(count(2))

		removed, err := settings.Reset()
		goldentest.Want(t, removed, err, 2)
		probe.MissThenHit(get("mail", "from", "", noctx.ErrUnset))
		probe.MissThenHit(count(0))
	})
}
