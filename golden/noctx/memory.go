package noctx

import (
	"errors"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// ErrUnset says that a setting has no value.
var ErrUnset = errors.New("not set")

// Memory is the store in memory.
type Memory struct {
	memdb.Calls
	values memdb.Table[string, string]
}

func key(group, name string) string { return group + "\x00" + name }

func (m *Memory) Get(group, name string) (string, error) {
	m.Called("Get")
	value, ok := m.values.Get(key(group, name))
	if !ok {
		return "", ErrUnset
	}
	return value, nil
}

func (m *Memory) Count() (int, error) {
	m.Called("Count")
	return len(m.values.Select(memdb.Any)), nil
}

func (m *Memory) Set(group, name, value string) error {
	m.values.Put(key(group, name), value)
	return nil
}

func (m *Memory) Reset() (int, error) {
	n := len(m.values.Select(memdb.Any))
	m.values = memdb.Table[string, string]{}
	return n, nil
}
