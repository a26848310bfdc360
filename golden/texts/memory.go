package texts

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	tickets memdb.Table[string, Ticket]
}

func (m *Memory) ByID(_ context.Context, id TicketID) (Ticket, error) {
	m.Called("ByID")
	t, _ := m.tickets.Get(string(id.Code[:]))
	return t, nil
}

func (m *Memory) ByRef(_ context.Context, ref Ref) (string, error) {
	m.Called("ByRef")
	return fmt.Sprintf("%s %s", ref.Kind, ref.Code[:]), nil
}

func (m *Memory) CountState(_ context.Context, state State) (int, error) {
	m.Called("CountState")
	return m.count(func(t Ticket) bool { return t.State != nil && *t.State == state }), nil
}

func (m *Memory) CountDue(_ context.Context, due time.Time) (int, error) {
	m.Called("CountDue")
	return m.count(func(t Ticket) bool { return t.Due != nil && t.Due.Equal(due) }), nil
}

func (m *Memory) CountCode(_ context.Context, code Code) (int, error) {
	m.Called("CountCode")
	return m.count(func(t Ticket) bool { return t.Code != nil && *t.Code == code }), nil
}

func (m *Memory) count(is func(Ticket) bool) int { return len(m.tickets.Select(is)) }

func (m *Memory) Describe(_ context.Context, f Filter) (string, error) {
	m.Called("Describe")
	text := f.Ref.Kind
	for _, s := range f.States {
		text += fmt.Sprintf(" %d", int(*s))
	}
	if f.Title.Valid {
		text += fmt.Sprintf(" %q", f.Title.String)
	}
	return text, nil
}

func (m *Memory) Save(_ context.Context, t Ticket) error {
	m.tickets.Put(string(t.ID.Code[:]), t)
	return nil
}
