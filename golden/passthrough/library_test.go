package passthrough

import (
	"bytes"
	"context"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestCallsAreHandedOn(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &Memory{}
		var library Library = NewCachedLibrary(source, cache)
		for id, title := range []string{"zero", "one", "two"} {
			goldentest.Do(t, library.SetTitle(t.Context(), int64(id), title))
		}

		var titles []string
		stop := errors.New("stop")
		err := library.Each(t.Context(), func(d Doc) error {
			if titles = append(titles, d.Title); d.ID == 1 {
				return stop
			}
			return nil
		})
		goldentest.WantErr(t, titles, err, []string{"zero", "one"}, stop)

		titles = nil
		for doc, err := range library.All(t.Context(), Limit(2), Limit(1)) {
			goldentest.Do(t, err)
			titles = append(titles, doc.Title)
		}
		goldentest.Equal(t, titles, []string{"zero"})

		ids, end := library.Watch(3)
		end()
		var changed []int64
		for id := range ids {
			changed = append(changed, id)
		}
		goldentest.Equal(t, changed, []int64{0, 1, 2})

		goldentest.Do(t, library.Import(t.Context(), 1, strings.NewReader("text")))
		var out bytes.Buffer
		n, err := library.Export(t.Context(), 1, &out)
		goldentest.Want(t, n, err, 4)
		body, err := library.Body(t.Context(), 1)
		goldentest.Do(t, err)
		text, err := io.ReadAll(body)
		goldentest.Want(t, string(text)+out.String(), err, "texttext")

		inner, name := library.InTx(nil, nil, "public", "docs")
		goldentest.Equal(t, inner, Library(source))
		goldentest.Equal(t, name, any("public.docs"))

		library.Touch(1)
		library.Touch(2, "a", "b")
		goldentest.Equal(t, source.touched, []string{"1", "2a+b"})

		restore := library.Hook(struct {
			Before, After func(ctx context.Context, err *error)
		}{After: func(_ context.Context, err *error) { *err = stop }}, map[string]chan<- error{"x": nil})
		goldentest.WantErr(t, source.hooks, restore(), 1, stop)

		goldentest.WantErr(t, library.String(), library.Close(), "library in memory", io.ErrClosedPipe)
	})
}

func TestTheOthersAreCached(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &Memory{}
		library := NewCachedLibrary(source, cache)
		probe := goldentest.Watch(t, cache, source)
		title := func(want string) func() {
			return func() {
				got, err := library.Title(t.Context(), 1)
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(title(""))
		goldentest.Do(t, library.SetTitle(t.Context(), 1, "one"))
		probe.MissThenHit(title("one"))
	})
}
