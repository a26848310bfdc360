//go:build unix

package buildtag

import (
	"context"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory.
type Memory struct {
	memdb.Calls
	files memdb.Table[string, Inode]
	last  Inode
}

func (m *Memory) Inode(_ context.Context, path string) (Inode, error) {
	m.Called("Inode")
	inode, _ := m.files.Get(path)
	return inode, nil
}

func (m *Memory) Create(_ context.Context, path string) error {
	m.last++
	m.files.Put(path, m.last)
	return nil
}
