package folding

import (
	"context"
	"strings"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	users memdb.Table[int64, User]
}

func (m *Memory) find(match func(User) bool) (*User, error) {
	for _, user := range m.users.Select(match) {
		return &user, nil
	}
	return nil, nil
}

func (m *Memory) ByEmail(_ context.Context, email string) (*User, error) {
	m.Called("ByEmail")
	return m.find(func(u User) bool { return strings.EqualFold(u.Email, email) })
}

func (m *Memory) Find(_ context.Context, s Search) (*User, error) {
	m.Called("Find")
	return m.find(func(u User) bool { return Fold(u.Handle) == Fold(s.Handle) })
}

func (m *Memory) IDs(ctx context.Context, s Search) ([]int64, error) {
	user, err := m.Find(ctx, s)
	if user == nil {
		return nil, err
	}
	return []int64{user.ID}, err
}

func (m *Memory) Save(_ context.Context, u *User) error {
	m.users.Put(u.ID, *u)
	return nil
}

func (m *Memory) Free(_ context.Context, email string, handle Handle) error {
	for _, user := range m.users.Select(memdb.Any) {
		m.users.Change(user.ID, func(u *User) {
			if strings.EqualFold(u.Email, email) {
				u.Email = ""
			}
			if Fold(u.Handle) == Fold(handle) {
				u.Handle = ""
			}
		})
	}
	return nil
}
