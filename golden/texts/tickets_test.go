package texts_test

import (
	"database/sql"
	"testing"
	"time"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/texts"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var (
	state = texts.State(7)
	code  = texts.Code{'a', 'b', 'c', 'd'}
	due   = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
)

func setUp(t *testing.T, cache *cachert.Cache) (*texts.CachedTicketRepo, *goldentest.Probe) {
	t.Helper()
	source := &texts.Memory{}
	return texts.NewCachedTicketRepo(source, cache), goldentest.Watch(t, cache, source)
}

func TestTagBehindPointerIsTheTagOfTheValue(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		tickets, probe := setUp(t, cache)
		want := 0
		reads := map[string]func(){
			"state": func() {
				got, err := tickets.CountState(t.Context(), state)
				goldentest.Want(t, got, err, want)
			},
			"due": func() {
				got, err := tickets.CountDue(t.Context(), due)
				goldentest.Want(t, got, err, want)
			},
			"code": func() {
				got, err := tickets.CountCode(t.Context(), code)
				goldentest.Want(t, got, err, want)
			},
			"ref": func() {
				got, err := tickets.ByRef(t.Context(), texts.Ref{Code: code})
				goldentest.Want(t, got, err, " abcd")
			},
			"id": func() {
				_, err := tickets.ByID(t.Context(), texts.TicketID{Code: code})
				goldentest.Do(t, err)
			},
			"all": func() {
				got, err := tickets.Describe(t.Context(), texts.Filter{})
				goldentest.Want(t, got, err, "")
			},
		}
		for _, read := range reads {
			probe.MissThenHit(read)
		}
		goldentest.Do(t, tickets.Save(t.Context(), texts.Ticket{ID: texts.TicketID{Code: code}, State: &state, Due: &due, Code: &code}))
		want = 1
		for _, read := range reads {
			probe.MissThenHit(read)
		}
	})
}

func TestTextDoesNotStandForMoreThanItSays(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		tickets, _ := setUp(t, cache)
		for _, kind := range []string{"ticket", "comment"} {
			ref := texts.Ref{Code: code, Kind: kind}
			got, err := tickets.ByRef(t.Context(), ref)
			goldentest.Want(t, got, err, kind+" abcd")
			got, err = tickets.Describe(t.Context(), texts.Filter{Ref: ref})
			goldentest.Want(t, got, err, kind)
		}
		for want, valid := range map[string]bool{"": false, ` ""`: true} {
			got, err := tickets.Describe(t.Context(), texts.Filter{Title: texts.Title{NullString: sql.NullString{Valid: valid}}})
			goldentest.Want(t, got, err, want)
		}
		one, other := texts.State(8), texts.State(9)
		got, err := tickets.Describe(t.Context(), texts.Filter{States: []*texts.State{&one}})
		goldentest.Want(t, got, err, " 8")
		got, err = tickets.Describe(t.Context(), texts.Filter{States: []*texts.State{&other}})
		goldentest.Want(t, got, err, " 9")
	})
}
