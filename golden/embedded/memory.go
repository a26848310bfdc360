package embedded

import (
	"context"

	"github.com/cachegen/cachegen/golden/embedded/sealed"
	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	sealed.Handle
	memdb.Calls
	names memdb.Table[int64, string]
	lines memdb.Table[int64, string]
	// Flushed counts flushes.
	Flushed int
}

func (m *Memory) Name(_ context.Context, id int64) (string, error) {
	m.Called("Name")
	name, _ := m.names.Get(id)
	return name, nil
}

func (m *Memory) SetName(_ context.Context, id int64, name string) error {
	m.names.Put(id, name)
	return nil
}

func (m *Memory) Last(_ context.Context, subject int64) (string, error) {
	m.Called("Last")
	line, _ := m.lines.Get(subject)
	return line, nil
}

func (m *Memory) Append(_ context.Context, subject int64, line string) error {
	m.lines.Put(subject, line)
	return nil
}

func (m *Memory) Flush() error {
	m.Flushed++
	return nil
}
