package updater

import (
	"context"
	"slices"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the repository in memory, with optimistic locking.
type Memory struct {
	memdb.Calls
	articles memdb.Table[int64, Article]
	// Edits counts how often an edit has run.
	Edits int
}

func (m *Memory) row(id int64) (Article, error) {
	a, ok := m.articles.Get(id)
	if !ok {
		return Article{}, ErrGone
	}
	a.Related = slices.Clone(a.Related)
	return a, nil
}

func (m *Memory) Get(_ context.Context, id int64) (Article, error) {
	m.Called("Get")
	return m.row(id)
}

func (m *Memory) Update(_ context.Context, id int64, edit func(old Article) (Article, error)) (Article, error) {
	for {
		old, err := m.row(id)
		if err != nil {
			return Article{}, err
		}
		m.Edits++
		edited, err := edit(old)
		if err != nil {
			return Article{}, err
		}
		stored := false
		m.articles.Change(id, func(row *Article) {
			if stored = row.Version == old.Version; stored {
				edited.ID, edited.Version = id, old.Version+1
				edited.Related = slices.Clone(edited.Related)
				*row = edited
			}
		})
		if stored {
			return m.row(id)
		}
	}
}

func (m *Memory) Edit(ctx context.Context, id int64, edit func(row *Article)) error {
	_, err := m.Update(ctx, id, func(old Article) (Article, error) {
		edit(&old)
		return old, nil
	})
	return err
}

func (m *Memory) Put(_ context.Context, a Article) error {
	a.Related = slices.Clone(a.Related)
	old, _ := m.articles.Get(a.ID)
	a.Version = old.Version + 1
	m.articles.Put(a.ID, a)
	return nil
}
