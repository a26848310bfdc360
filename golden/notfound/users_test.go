package notfound_test

import (
	"database/sql"
	"errors"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/notfound"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var ada = notfound.User{ID: 1, Email: "ada@example.com", Name: "Ada", Teams: []string{"engine"}}

func setUp(t *testing.T, cache *cachert.Cache) (*notfound.CachedUserRepo, *goldentest.Probe) {
	t.Helper()
	source := &notfound.Memory{}
	return notfound.NewCachedUserRepo(source, cache), goldentest.Watch(t, cache, source)
}

func TestNotThereIsRememberedUntilItIsThere(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		ctx := t.Context()
		reads := func(want *notfound.User, byID, email error) map[string]func() {
			value, mail := notfound.User{}, ""
			if want != nil {
				value, mail = *want, want.Email
			}
			return map[string]func(){
				"ByID": func() {
					got, err := users.ByID(ctx, 1)
					goldentest.WantErr(t, got, err, want, byID)
				},
				"Email": func() {
					got, err := users.Email(ctx, 1)
					goldentest.WantErr(t, got, err, mail, email)
				},
				"ByEmail": func() {
					got, err := users.ByEmail(ctx, ada.Email)
					goldentest.Want(t, got, err, want)
				},
				"ByName": func() {
					got, err := users.ByName(ctx, ada.Name)
					goldentest.Want(t, got, err, value)
				},
				"Lookup": func() {
					got, ok, err := users.Lookup(ctx, 1)
					goldentest.Want(t, got, err, want)
					goldentest.Equal(t, ok, want != nil)
				},
				"Count": func() {
					got, err := users.Count(ctx)
					goldentest.Want(t, got > 0, err, want != nil)
				},
			}
		}
		for name, read := range reads(nil, notfound.ErrNotFound, sql.ErrNoRows) {
			t.Log("absent", name)
			probe.MissThenHit(read)
		}
		goldentest.Do(t, users.Create(ctx, ada))
		for name, read := range reads(&ada, nil, nil) {
			t.Log("present", name)
			probe.MissThenHit(read)
		}
	})
}

func TestSentinelComesWithItsValue(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		goldentest.Do(t, users.Create(t.Context(), ada))
		probe.MissThenHit(func() {
			got, err := users.ByID(t.Context(), 1)
			goldentest.Want(t, got, err, &ada)
		})
		probe.MissThenHit(func() {
			got, err := users.Count(t.Context())
			goldentest.Want(t, got, err, 1)
		})
		goldentest.Do(t, users.Delete(t.Context(), 1))
		probe.MissThenHit(func() {
			got, err := users.Count(t.Context())
			goldentest.Want(t, got, err, 0)
		})
		probe.MissThenHit(func() {
			got, err := users.ByID(t.Context(), 1)
			goldentest.WantErr(t, got, err, &ada, notfound.ErrDeleted)
			got.Teams[0] = "mine"
		})
		probe.MissThenHit(func() {
			got, ok, err := users.Lookup(t.Context(), 1)
			goldentest.Want(t, got, err, &ada)
			goldentest.Equal(t, ok, false)
		})
	})
}

func TestOtherErrorsAreNotKept(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		probe.Always(func() {
			_, err := users.Wrapped(t.Context(), 1)
			if !errors.Is(err, notfound.ErrNotFound) || err.Error() != "user 1: no such user" {
				t.Error(err)
			}
		})
		probe.Always(func() {
			got, err := users.Fresh(t.Context(), 1)
			goldentest.WantErr(t, got, err, notfound.User{}, notfound.ErrNotFound)
		})
		partial := notfound.User{ID: 1, Name: "Ada", Teams: []string{}}
		goldentest.Do(t, users.Create(t.Context(), partial))
		probe.Always(func() {
			got, err := users.Profile(t.Context(), 1)
			goldentest.WantErr(t, got, err, &partial, notfound.ErrPartial)
		})
		goldentest.Do(t, users.Create(t.Context(), ada))
		probe.MissThenHit(func() {
			got, err := users.Profile(t.Context(), 1)
			goldentest.Want(t, got, err, &ada)
		})
		probe.MissThenHit(func() {
			got, err := users.Fresh(t.Context(), 1)
			goldentest.Want(t, got, err, ada)
		})
	})
}

// An empty string is a value where a sentinel says "not there".
func TestZeroIsAValueBesideASentinel(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		goldentest.Do(t, users.Create(t.Context(), notfound.User{ID: 1}))
		probe.MissThenHit(func() {
			got, err := users.Email(t.Context(), 1)
			goldentest.Want(t, got, err, "")
		})
	})
}

// Whoever was found under a key that is not the primary one ends with his row.
func TestRowsFoundByOtherKeysEnd(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		goldentest.Do(t, users.Create(t.Context(), ada))
		reads := []func(){
			func() { _, _ = users.ByEmail(t.Context(), ada.Email) },
			func() { _, _ = users.ByName(t.Context(), ada.Name) },
			func() { _, _ = users.Profile(t.Context(), 1) },
			func() { _, _ = users.Wrapped(t.Context(), 1) },
			func() { _, _ = users.Fresh(t.Context(), 1) },
			func() { _, _ = users.Email(t.Context(), 1) },
		}
		for _, read := range reads {
			probe.MissThenHit(read)
		}
		goldentest.Do(t, users.Delete(t.Context(), 1))
		for _, read := range reads {
			probe.Miss(read)
		}
	})
}
