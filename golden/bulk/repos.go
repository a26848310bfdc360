// Package bulk pins writes that do not say which rows they change, or by how much: relative
// ones, those with a WHERE over a parent, and sweeps. The first name their row, the second a
// tag of the parent that reads depend on too, the last drop the repository.
package bulk

import "context"

//go:generate go tool cachegen

// Repo is a row: a source repository, perhaps the fork of another.
type Repo struct {
	ID, Owner, Parent int64
	Stars, Forks      int
	Archived          bool
}

// RepoStore stores repositories.
//
//cachegen:repo name=repos ttl=10m
type RepoStore interface {
	// Get returns a repository.
	//
	//cachegen:read tag=repo:{id} tag=owner:{ret.Owner}
	Get(ctx context.Context, id int64) (Repo, error)

	// ForksOf lists the forks of a repository.
	//
	//cachegen:read tag=forks:{parent} tag=owner:{row.Owner}
	ForksOf(ctx context.Context, parent int64) ([]Repo, error)

	// Stars returns the number of stars.
	//
	//cachegen:read tag=repo:{id}
	Stars(ctx context.Context, id int64) (int, error)

	// Create adds a repository.
	//
	//cachegen:write drop=repo:{r.ID} drop=owner:{r.Owner} drop=forks:{r.Parent}
	Create(ctx context.Context, r Repo) error

	// Star adds to the stars of a repository: a relative write.
	//
	//cachegen:write drop=repo:{id}
	Star(ctx context.Context, id int64, delta int) error

	// ArchiveAll archives the repositories of an owner: ... WHERE owner = ?
	//
	//cachegen:write drop=owner:{owner}
	ArchiveAll(ctx context.Context, owner int64) (int64, error)

	// Recount corrects the forks of every repository.
	//
	//cachegen:write drop=*
	Recount(ctx context.Context) error
}
