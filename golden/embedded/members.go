// Package embedded pins interfaces made of others: of one in the same package, whose
// directives count; of another package's, whose methods are declared again with directives or
// classified by methods=; of one with unexported methods of another package, which the
// wrapper can only have by embedding its source.
package embedded

import (
	"context"

	"github.com/cachegen/cachegen/golden/embedded/audit"
	"github.com/cachegen/cachegen/golden/embedded/sealed"
)

//go:generate go tool cachegen

// Reader is the reading half. It is no repository of its own.
type Reader interface {
	// Name returns a member's name.
	//
	//cachegen:read tag=member:{id}
	Name(ctx context.Context, id int64) (string, error)
}

// Writer is the writing half.
type Writer interface {
	// SetName changes a member's name.
	//
	//cachegen:write drop=member:{id}
	SetName(ctx context.Context, id int64, name string) error
}

// ReadWriter is both; embedding goes deeper than one level.
type ReadWriter interface {
	Reader
	Writer
}

// MemberRepo stores members and what they did.
//
//cachegen:repo name=members ttl=10m
//cachegen:pass methods=Flush,Close "reason=not about rows"
type MemberRepo interface {
	ReadWriter
	audit.Log
	sealed.Closer

	// Last is declared again, which is how another package's method gets a directive.
	//
	//cachegen:read tag=log:{subject}
	Last(ctx context.Context, subject int64) (string, error)

	//cachegen:write drop=log:{subject}
	Append(ctx context.Context, subject int64, line string) error
}
