package scalars_test

import (
	"testing"
	"time"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/scalars"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var (
	day = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	ada = scalars.User{ID: 1, Email: "ada@example.com", Name: "Ada", Role: 2, Joined: day}
)

func setUp(t *testing.T, cache *cachert.Cache) (*scalars.CachedUserRepo, *goldentest.Probe) {
	t.Helper()
	source := &scalars.Memory{}
	users := scalars.NewCachedUserRepo(source, cache)
	goldentest.Do(t, users.Create(t.Context(), ada))
	return users, goldentest.Watch(t, cache, source)
}

func TestWritesEndWhatTheyChange(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		want := ada
		byID := func() {
			got, err := users.ByID(t.Context(), 1)
			goldentest.Want(t, got, err, want)
		}
		byEmail := func() {
			got, err := users.ByEmail(t.Context(), want.Email)
			goldentest.Want(t, got, err, &want)
		}
		probe.MissThenHit(byID)
		probe.MissThenHit(byEmail)

		goldentest.Do(t, users.Rename(t.Context(), 1, "Countess"))
		want.Name = "Countess"
		probe.MissThenHit(byID)
		probe.MissThenHit(byEmail)

		if err := users.Rename(t.Context(), 2, "nobody"); err != scalars.ErrNotFound {
			t.Error(err)
		}
		probe.Hit(byID)
	})
}

func TestOldKeyDoesNotAnswerAfterTheKeyColumnChanged(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		old := func() {
			got, err := users.ByEmail(t.Context(), ada.Email)
			goldentest.WantErr(t, got, err, nil, scalars.ErrNotFound)
		}
		if got, err := users.ByEmail(t.Context(), ada.Email); err != nil || got.ID != 1 {
			t.Fatal(got, err)
		}
		goldentest.Do(t, users.Move(t.Context(), 1, "countess@example.com"))
		probe.Always(old) // errors that no notfound= names are not kept
		moved := ada
		moved.Email = "countess@example.com"
		probe.MissThenHit(func() {
			got, err := users.ByEmail(t.Context(), moved.Email)
			goldentest.Want(t, got, err, &moved)
		})
	})
}

func TestEachParameterIsPartOfTheKey(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		for _, names := range [][3]string{{"a/b", "c", "1|a/b|c"}, {"a", "b/c", "1|a|b/c"}, {"a", "b:c", "1|a|b:c"}, {"a:b", "c", "1|a:b|c"}, {"", "", "1||"}} {
			probe.MissThenHit(func() {
				got, err := users.Setting(t.Context(), 1, names[0], names[1])
				goldentest.Want(t, got, err, names[2])
			})
		}
		for _, period := range []struct {
			role        scalars.Role
			from, until time.Time
			want        int
		}{
			{2, day, day.Add(time.Hour), 1},
			{3, day, day.Add(time.Hour), 0},
			{2, day.Add(time.Nanosecond), day.Add(time.Hour), 0},
			{2, day, day, 0},
		} {
			probe.MissThenHit(func() {
				got, err := users.CountJoined(t.Context(), period.role, period.from, period.until)
				goldentest.Want(t, got, err, period.want)
			})
		}
		for _, place := range []struct {
			lat, lon float64
			km       float32
			indoors  bool
			want     bool
		}{{3, 4, 5, false, true}, {4, 3, 5, false, true}, {3, 4, 4, false, false}, {3, 4, 5, true, false}, {-3, 4, 5, false, true}} {
			probe.MissThenHit(func() {
				got, err := users.Near(t.Context(), 1, place.lat, place.lon, place.km, place.indoors)
				goldentest.Want(t, got, err, place.want)
			})
		}
	})
}

func TestEachWriteEndsWhatDependsOnIt(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		users, probe := setUp(t, cache)
		count := func(want int) func() {
			return func() {
				got, err := users.CountJoined(t.Context(), 2, day, day.Add(time.Hour))
				goldentest.Want(t, got, err, want)
			}
		}
		ofUser := []func(){
			func() { _, _ = users.ByID(t.Context(), 1) },
			func() { _, _ = users.ByEmail(t.Context(), ada.Email) },
			func() { _, _ = users.Setting(t.Context(), 1, "a", "b") },
			func() { _, _ = users.Near(t.Context(), 1, 0, 0, 0, false) },
		}
		each := func(check func(func())) {
			t.Helper()
			for _, read := range ofUser {
				check(read)
			}
		}
		each(probe.MissThenHit)
		probe.MissThenHit(count(1))

		bob := scalars.User{ID: 2, Email: "bob@example.com", Role: 2, Joined: day}
		goldentest.Do(t, users.Create(t.Context(), bob))
		probe.MissThenHit(count(2))
		each(probe.Hit)
		goldentest.Do(t, users.Create(t.Context(), ada)) // again
		each(probe.MissThenHit)
		goldentest.Do(t, users.Rename(t.Context(), 1, "Countess"))
		each(probe.MissThenHit)
		goldentest.Do(t, users.Move(t.Context(), 2, ada.Email)) // an address that two users have
		probe.MissThenHit(ofUser[1])
		probe.Hit(ofUser[0])
		goldentest.Do(t, users.Create(t.Context(), scalars.User{ID: 3, Email: ada.Email})) // and a third
		probe.MissThenHit(ofUser[1])
		probe.Hit(ofUser[0])
	})
}

// What one process has written the other one reads at once when it asks for it.
func TestAnotherProcessSeesTheWrite(t *testing.T) {
	goldentest.Pair(t, func(t *testing.T, one, other *cachert.Cache) {
		source := &scalars.Memory{}
		here, there := scalars.NewCachedUserRepo(source, one), scalars.NewCachedUserRepo(source, other)
		goldentest.Do(t, here.Create(t.Context(), ada))
		probe := goldentest.Watch(t, one, source)
		probe.Miss(func() {
			got, err := here.ByID(t.Context(), 1)
			goldentest.Want(t, got, err, ada)
		})
		probe.Hit(func() { // the entry that the other process stored
			got, err := there.ByID(t.Context(), 1)
			goldentest.Want(t, got, err, ada)
		})
		goldentest.Do(t, there.Rename(t.Context(), 1, "Countess"))
		probe.Miss(func() {
			got, err := here.ByID(cachert.Fresh(t.Context()), 1)
			goldentest.Want(t, got.Name, err, "Countess")
		})
	})
}
