// Package messages pins values of other modules: protobuf messages, which are stored by their
// own wire format and copied by proto.Clone, and UUIDs, as keys, as arguments of tags and as
// columns that may be null.
package messages

import (
	"context"

	"github.com/google/uuid"
	"google.golang.org/protobuf/types/known/structpb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

//go:generate go tool cachegen

// Event is a row with messages in it.
type Event struct {
	ID      uuid.UUID
	Parent  uuid.NullUUID
	At      *timestamppb.Timestamp
	Payload *structpb.Struct
	Related []uuid.UUID
}

// EventRepo stores events.
//
//cachegen:repo name=events ttl=10m negative=1m
type EventRepo interface {
	// ByID returns an event, nil when there is none.
	//
	//cachegen:read tag=event:{id}
	ByID(ctx context.Context, id uuid.UUID) (*Event, error)

	// Payload returns a message, nil when there is none.
	//
	//cachegen:read tag=event:{id}
	Payload(ctx context.Context, id uuid.UUID) (*structpb.Struct, error)

	// ChildrenOf lists times; of events without a parent where parent is null.
	//
	//cachegen:read tag=parent:{parent}
	ChildrenOf(ctx context.Context, parent uuid.NullUUID) ([]*timestamppb.Timestamp, error)

	// Add stores an event.
	//
	//cachegen:write drop=event:{e.ID} drop=parent:{e.Parent}
	Add(ctx context.Context, e *Event) error
}
