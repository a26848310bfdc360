package messages_test

import (
	"testing"
	"time"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/messages"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var (
	first  = uuid.MustParse("00000000-0000-4000-8000-000000000001")
	second = uuid.MustParse("00000000-0000-4000-8000-000000000002")
	day    = time.Date(2026, 3, 1, 0, 0, 0, 7, time.UTC)
)

func event(t *testing.T) *messages.Event {
	t.Helper()
	payload, err := structpb.NewStruct(map[string]any{"title": "Emma", "pages": []any{1.0, nil, true}})
	goldentest.Do(t, err)
	return &messages.Event{ID: first, At: timestamppb.New(day), Payload: payload, Related: []uuid.UUID{second, {}}}
}

// same compares messages as protobuf does, and the rest as Go does.
func same(t *testing.T, got, want *messages.Event) {
	t.Helper()
	if (got == nil) != (want == nil) {
		t.Fatalf("got %v, want %v", got, want)
	}
	if got == nil {
		return
	}
	if !proto.Equal(got.At, want.At) || !proto.Equal(got.Payload, want.Payload) || (got.At == nil) != (want.At == nil) {
		t.Errorf("got %v %v, want %v %v", got.At, got.Payload, want.At, want.Payload)
	}
	goldentest.Equal(t, got.ID, want.ID)
	goldentest.Equal(t, got.Parent, want.Parent)
	goldentest.Equal(t, got.Related, want.Related)
}

func TestMessagesAndUUIDs(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &messages.Memory{}
		events := messages.NewCachedEventRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		byID := func(id uuid.UUID, want *messages.Event) func() {
			return func() {
				got, err := events.ByID(t.Context(), id)
				goldentest.Do(t, err)
				same(t, got, want)
				if got != nil && got.Payload != nil { // the caller's own
					got.At.Seconds++
					got.Payload.Fields["title"] = structpb.NewNullValue()
					got.Related[0] = uuid.UUID{}
				}
			}
		}
		payload := func(id uuid.UUID, want *structpb.Struct) func() {
			return func() {
				got, err := events.Payload(t.Context(), id)
				goldentest.Do(t, err)
				if (got == nil) != (want == nil) || !proto.Equal(got, want) {
					t.Errorf("got %v, want %v", got, want)
				}
			}
		}
		children := func(parent uuid.NullUUID, want ...time.Time) func() {
			return func() {
				got, err := events.ChildrenOf(t.Context(), parent)
				goldentest.Want(t, len(got), err, len(want))
				for i, at := range got {
					goldentest.Equal(t, at.AsTime(), want[i])
				}
			}
		}
		ofFirst, ofNil := uuid.NullUUID{UUID: first, Valid: true}, uuid.NullUUID{Valid: true}
		probe.MissThenHit(byID(first, nil))
		probe.MissThenHit(payload(first, nil))
		probe.MissThenHit(children(uuid.NullUUID{}))
		probe.MissThenHit(children(ofFirst))
		probe.MissThenHit(children(ofNil))

		added := event(t)
		goldentest.Do(t, events.Add(t.Context(), added))
		probe.MissThenHit(byID(first, event(t)))
		probe.MissThenHit(payload(first, event(t).Payload))
		probe.MissThenHit(children(uuid.NullUUID{}, day))
		probe.Hit(children(ofFirst))
		probe.Hit(children(ofNil)) // the zero UUID is not null

		child := &messages.Event{ID: second, Parent: ofFirst, At: timestamppb.New(day)}
		goldentest.Do(t, events.Add(t.Context(), child))
		probe.MissThenHit(byID(second, child))
		probe.MissThenHit(children(ofFirst, day))
		probe.Hit(byID(first, event(t)))
	})
}
