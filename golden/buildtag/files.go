//go:build unix

// Package buildtag pins build constraints: what is generated from a file is built where the
// file is built.
package buildtag

import "context"

//go:generate go tool cachegen

// Inode is a file's number, which not every system has.
type Inode uint64

// FileRepo stores files.
//
//cachegen:repo name=files ttl=10m
type FileRepo interface {
	// Inode returns a file's number.
	//
	//cachegen:read tag=file:{path}
	Inode(ctx context.Context, path string) (Inode, error)

	// Create creates a file, again if need be.
	//
	//cachegen:write drop=file:{path}
	Create(ctx context.Context, path string) error
}
