package scalars

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// ErrNotFound says that there is no such user.
var ErrNotFound = errors.New("no such user")

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	users memdb.Table[UserID, User]
}

func (m *Memory) ByID(_ context.Context, id UserID) (User, error) {
	m.Called("ByID")
	user, ok := m.users.Get(id)
	if !ok {
		return User{}, ErrNotFound
	}
	return user, nil
}

func (m *Memory) ByEmail(_ context.Context, email Email) (*User, error) {
	m.Called("ByEmail")
	for _, user := range m.users.Select(func(u User) bool { return u.Email == email }) {
		return &user, nil
	}
	return nil, ErrNotFound
}

func (m *Memory) Setting(_ context.Context, id UserID, group, name string) (string, error) {
	m.Called("Setting")
	return fmt.Sprintf("%d|%s|%s", id, group, name), nil
}

func (m *Memory) CountJoined(_ context.Context, role Role, from, until time.Time) (int, error) {
	m.Called("CountJoined")
	return len(m.users.Select(func(u User) bool {
		return u.Role == role && !u.Joined.Before(from) && u.Joined.Before(until)
	})), nil
}

func (m *Memory) Near(_ context.Context, _ UserID, lat, lon float64, km float32, indoors bool) (bool, error) {
	m.Called("Near")
	return lat*lat+lon*lon <= float64(km)*float64(km) && !indoors, nil
}

func (m *Memory) Create(_ context.Context, u User) error {
	m.users.Put(u.ID, u)
	return nil
}

func (m *Memory) Rename(_ context.Context, id UserID, name string) error {
	return m.change(id, func(u *User) { u.Name = name })
}

func (m *Memory) Move(_ context.Context, id UserID, email Email) error {
	return m.change(id, func(u *User) { u.Email = email })
}

func (m *Memory) change(id UserID, change func(*User)) error {
	if !m.users.Change(id, change) {
		return ErrNotFound
	}
	return nil
}
