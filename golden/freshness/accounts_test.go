package freshness_test

import (
	"database/sql"
	"testing"

	"github.com/cachegen/cachegen/golden/freshness"
	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestFreshReadsGoToTheSource(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &freshness.Memory{}
		accounts := freshness.NewCachedAccountRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		goldentest.Do(t, accounts.Transfer(t.Context(), 1, 10))
		yes, no, filter := true, false, int64(3)

		get := func(opts *freshness.Options) func() {
			return func() {
				got, err := accounts.Get(t.Context(), 1, opts)
				goldentest.Want(t, got, err, freshness.Account{ID: 1, Balance: 10})
			}
		}
		probe.Always(get(&freshness.Options{Lock: freshness.LockUpdate})) // and stores nothing
		probe.MissThenHit(get(nil))
		probe.Hit(get(&freshness.Options{}))
		probe.Hit(get(&freshness.Options{Replica: &yes}))
		probe.Always(get(&freshness.Options{Lock: freshness.LockShare}))
		probe.Always(get(&freshness.Options{Replica: &no}))

		balance := func(level sql.IsolationLevel) func() {
			return func() {
				got, err := accounts.Balance(t.Context(), 1, level)
				goldentest.Want(t, got, err, 10)
			}
		}
		probe.MissThenHit(balance(sql.LevelDefault))
		probe.Hit(balance(sql.LevelReadCommitted))
		probe.Always(balance(sql.LevelSerializable))

		status := func(mode string, limit int, want string) func() {
			return func() {
				got, err := accounts.Status(t.Context(), 1, mode, limit)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(status("any", 9, "any true"))
		probe.MissThenHit(status("any", 10, "any false"))
		probe.Always(status("any", 0, "any true"))
		probe.Always(status(freshness.Primary, 9, "primary true"))
		probe.Always(status("leader", 9, "leader true"))

		exists := func(latest bool) func() {
			return func() {
				got, err := accounts.Exists(t.Context(), 1, latest)
				goldentest.Want(t, got, err, true)
			}
		}
		probe.MissThenHit(exists(false))
		probe.Always(exists(true))

		byFilter := func(filter *int64) func() {
			return func() {
				got, err := accounts.ByFilter(t.Context(), 1, filter)
				goldentest.Want(t, got.Balance, err, 10)
			}
		}
		probe.MissThenHit(byFilter(&filter))
		probe.Always(byFilter(nil))

		goldentest.Do(t, accounts.Transfer(t.Context(), 1, 0)) // ends all of them
		probe.MissThenHit(get(nil))
		probe.MissThenHit(balance(sql.LevelDefault))
		probe.MissThenHit(status("any", 9, "any true"))
		probe.MissThenHit(exists(false))
		probe.MissThenHit(byFilter(&filter))
	})
}

// The context can demand freshness too, whatever the parameters say.
func TestBypassByContext(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &freshness.Memory{}
		accounts := freshness.NewCachedAccountRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		goldentest.Do(t, accounts.Transfer(t.Context(), 1, 10))
		ctx := t.Context()
		get := func() {
			got, err := accounts.Get(ctx, 1, nil)
			goldentest.Want(t, got.Balance, err, 10)
		}
		probe.MissThenHit(get)
		ctx = cachert.Bypass(t.Context())
		probe.Always(get)
		ctx = cachert.Fresh(t.Context()) // strict: asks the store, not the source
		probe.Hit(get)
	})
}
