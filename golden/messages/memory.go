package messages

import (
	"context"
	"slices"

	"github.com/google/uuid"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	events memdb.Table[string, *Event]
}

func clone(e *Event) *Event {
	return &Event{
		ID: e.ID, Parent: e.Parent, At: proto.CloneOf(e.At), Payload: proto.CloneOf(e.Payload),
		Related: slices.Clone(e.Related),
	}
}

func (m *Memory) ByID(_ context.Context, id uuid.UUID) (*Event, error) {
	m.Called("ByID")
	if event, ok := m.events.Get(id.String()); ok {
		return clone(event), nil
	}
	return nil, nil
}

func (m *Memory) Payload(ctx context.Context, id uuid.UUID) (*structpb.Struct, error) {
	event, err := m.ByID(ctx, id)
	if event == nil {
		return nil, err
	}
	return event.Payload, err
}

func (m *Memory) ChildrenOf(_ context.Context, parent uuid.NullUUID) ([]*timestamppb.Timestamp, error) {
	m.Called("ChildrenOf")
	var times []*timestamppb.Timestamp
	for _, event := range m.events.Select(func(e *Event) bool { return e.Parent == parent }) {
		times = append(times, proto.CloneOf(event.At))
	}
	return times, nil
}

func (m *Memory) Add(_ context.Context, e *Event) error {
	m.events.Put(e.ID.String(), clone(e))
	return nil
}
