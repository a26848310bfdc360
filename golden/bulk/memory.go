package bulk

import (
	"context"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the store in memory.
type Memory struct {
	memdb.Calls
	repos memdb.Table[int64, Repo]
}

func (m *Memory) Get(_ context.Context, id int64) (Repo, error) {
	m.Called("Get")
	repo, _ := m.repos.Get(id)
	return repo, nil
}

func (m *Memory) ForksOf(_ context.Context, parent int64) ([]Repo, error) {
	m.Called("ForksOf")
	return m.repos.Select(func(r Repo) bool { return r.Parent == parent }), nil
}

func (m *Memory) Stars(_ context.Context, id int64) (int, error) {
	m.Called("Stars")
	repo, _ := m.repos.Get(id)
	return repo.Stars, nil
}

func (m *Memory) Create(_ context.Context, r Repo) error {
	m.repos.Put(r.ID, r)
	return nil
}

func (m *Memory) Star(_ context.Context, id int64, delta int) error {
	m.repos.Change(id, func(r *Repo) { r.Stars += delta })
	return nil
}

func (m *Memory) ArchiveAll(_ context.Context, owner int64) (n int64, err error) {
	for _, repo := range m.repos.Select(func(r Repo) bool { return r.Owner == owner }) {
		m.repos.Change(repo.ID, func(r *Repo) { r.Archived = true })
		n++
	}
	return n, nil
}

func (m *Memory) Recount(context.Context) error {
	for _, repo := range m.repos.Select(memdb.Any) {
		forks := len(m.repos.Select(func(r Repo) bool { return r.Parent == repo.ID }))
		m.repos.Change(repo.ID, func(r *Repo) { r.Forks = forks })
	}
	return nil
}
