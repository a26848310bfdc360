package notfound

import (
	"context"
	"database/sql"
	"fmt"
	"slices"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	users memdb.Table[int64, row]
}

type row struct {
	User
	deleted bool
}

func (m *Memory) user(id int64) (*User, error) {
	r, ok := m.users.Get(id)
	r.Teams = slices.Clone(r.Teams)
	switch {
	case !ok:
		return nil, ErrNotFound
	case r.deleted:
		return &r.User, ErrDeleted
	}
	return &r.User, nil
}

func (m *Memory) value(id int64) (User, error) {
	if u, err := m.user(id); u != nil {
		return *u, err
	}
	return User{}, ErrNotFound
}

func (m *Memory) find(match func(row) bool) *User {
	for _, r := range m.users.Select(match) {
		return &r.User
	}
	return nil
}

func (m *Memory) ByID(_ context.Context, id int64) (*User, error) {
	m.Called("ByID")
	return m.user(id)
}

func (m *Memory) Email(_ context.Context, id int64) (string, error) {
	m.Called("Email")
	if u, _ := m.user(id); u != nil {
		return u.Email, nil
	}
	return "", sql.ErrNoRows
}

func (m *Memory) ByEmail(_ context.Context, email string) (*User, error) {
	m.Called("ByEmail")
	return m.find(func(r row) bool { return r.Email == email }), nil
}

func (m *Memory) ByName(_ context.Context, name string) (User, error) {
	m.Called("ByName")
	if u := m.find(func(r row) bool { return r.Name == name }); u != nil {
		return *u, nil
	}
	return User{}, nil
}

func (m *Memory) Lookup(_ context.Context, id int64) (*User, bool, error) {
	m.Called("Lookup")
	u, err := m.user(id)
	return u, err == nil, nil
}

func (m *Memory) Profile(_ context.Context, id int64) (*User, error) {
	m.Called("Profile")
	u, err := m.user(id)
	if u != nil && u.Email == "" {
		return u, ErrPartial
	}
	return u, err
}

func (m *Memory) Wrapped(_ context.Context, id int64) (User, error) {
	m.Called("Wrapped")
	u, err := m.value(id)
	if err != nil {
		err = fmt.Errorf("user %d: %w", id, err)
	}
	return u, err
}

func (m *Memory) Fresh(_ context.Context, id int64) (User, error) {
	m.Called("Fresh")
	return m.value(id)
}

func (m *Memory) Count(context.Context) (int, error) {
	m.Called("Count")
	return len(m.users.Select(func(r row) bool { return !r.deleted })), nil
}

func (m *Memory) Create(_ context.Context, u User) error {
	m.users.Put(u.ID, row{User: u})
	return nil
}

func (m *Memory) Delete(_ context.Context, id int64) error {
	m.users.Change(id, func(r *row) { r.deleted = true })
	return nil
}
