// Package texts pins types with a text form: an argument of a tag is the same one behind a
// pointer and without, a named number or string is written as what it is, and of a struct the
// text of one embedded field does not stand for the others. NULL is not the empty string.
package texts

import (
	"context"
	"database/sql"
	"time"
)

//go:generate go tool cachegen

// State is an enumeration whose text does not tell all of its values apart.
type State int

// MarshalText knows some of the states.
func (s State) MarshalText() ([]byte, error) {
	if s == 1 {
		return []byte("open"), nil
	}
	return []byte("unknown"), nil
}

// Code is an identifier with a text form.
type Code [4]byte

// MarshalText returns the letters.
func (c Code) MarshalText() ([]byte, error) { return c[:], nil }

// TicketID is a type of its own for a code.
type TicketID struct{ Code }

// Ref embeds a code and something else: its text is that of the code alone.
type Ref struct {
	Code
	Kind string
}

// Ticket is a row whose columns may be NULL.
type Ticket struct {
	ID    TicketID
	State *State
	Due   *time.Time
	Code  *Code
}

// Title may be NULL, as in the null packages: its text is then that of an empty one.
type Title struct{ sql.NullString }

// MarshalText returns the title.
func (t Title) MarshalText() ([]byte, error) { return []byte(t.String), nil }

// Filter selects tickets.
type Filter struct {
	Title  Title
	States []*State
	Ref    Ref
}

// TicketRepo stores tickets.
//
//cachegen:repo name=tickets ttl=10m
type TicketRepo interface {
	// ByID returns one ticket.
	//
	//cachegen:read tag=ticket:{id}
	ByID(ctx context.Context, id TicketID) (Ticket, error)

	// ByRef describes what the reference names.
	//
	//cachegen:read tag=code:{ref.Code}
	ByRef(ctx context.Context, ref Ref) (string, error)

	// CountState counts the tickets in a state.
	//
	//cachegen:read tag=state:{state}
	CountState(ctx context.Context, state State) (int, error)

	// CountDue counts the tickets that are due at an instant.
	//
	//cachegen:read tag=due:{due}
	CountDue(ctx context.Context, due time.Time) (int, error)

	// CountCode counts the tickets with a code.
	//
	//cachegen:read tag=code:{code}
	CountCode(ctx context.Context, code Code) (int, error)

	// Describe says what the filter selects.
	//
	//cachegen:read tag=all
	Describe(ctx context.Context, f Filter) (string, error)

	// Save adds a ticket.
	//
	//cachegen:write drop=ticket:{t.ID} drop=state:{t.State} drop=due:{t.Due} drop=code:{t.Code} drop=all
	Save(ctx context.Context, t Ticket) error
}
