// Package shelf pins names: its own is not that of its directory; its parameters are called
// like what generated code calls its receiver, its variables, its imports, and like what the
// language itself calls things; its interfaces are not exported, and two of them share a
// file. Generated code reads like code that somebody wrote.
package shelf

import (
	"context"
	"time"
)

//go:generate go tool cachegen

// What generated files import, or might, is taken at package level.
type cachert struct{ Bytes []byte }

var bytes, slices = 1, 2

// itemStore stores items.
//
//cachegen:repo name=items ttl=10m
type itemStore interface {
	// Get has one parameter for each name of the generated method. In a path ret is the
	// parameter where there is one.
	//
	//cachegen:read tag=item:{c}:{t} tag=flag:{ret}
	Get(ctx context.Context, c int, t string, ret, row, ok bool, err, key int64, p, old string) (cachert, error)

	// Len has predeclared identifiers, and no context of that name.
	//
	//cachegen:read tag=item:{len}:{string}
	Len(context context.Context, len int, string string, nil, true, error bool) (int, error)

	// size has packages and types, and is not exported.
	//
	//cachegen:read tag=item:{int}:{time} ignore=byte
	size(ctx context.Context, int int, time string, cachert time.Duration, byte []byte) (n int64, found bool, err error)

	// Select has the lower-case name of a keyword, and Type another.
	//
	//cachegen:write drop=item:{ctx}:{any}
	Select(c context.Context, ctx int, any string) (err error)

	//cachegen:write drop=item:{cache}:{src} drop=flag:{put}
	Type(_ context.Context, cache int, src string, put bool) (t, p int, c error)
}

// Itemstore differs from itemStore by its case only, and its methods name nothing.
//
//cachegen:repo name=items2 ttl=10m
type Itemstore interface {
	//cachegen:read tag=all
	All(context.Context) ([]cachert, error)

	//cachegen:write drop=all
	Add(context.Context, cachert, ...int) error
}
