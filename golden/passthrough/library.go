// Package passthrough pins tier 7: whatever a signature holds, the wrapper has the method and
// hands the call on as it is: functions, channels, iterators, interfaces, streams,
// transactions, unnamed parameters, no results at all. Two methods of the interface are
// cached all the same.
package passthrough

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"iter"
)

//go:generate go tool cachegen

// Doc is a document.
type Doc struct {
	ID    int64
	Title string
	Body  []byte
}

// Option is a functional option.
type Option func(*query)

type query struct{ limit int }

// Limit bounds a result.
func Limit(n int) Option { return func(q *query) { q.limit = n } }

// Library stores documents.
//
//cachegen:repo name=library ttl=10m
//cachegen:pass methods=String
type Library interface {
	fmt.Stringer

	// Title returns a document's title.
	//
	//cachegen:read tag=doc:{id}
	Title(ctx context.Context, id int64) (string, error)

	// SetTitle changes a title.
	//
	//cachegen:write drop=doc:{id}
	SetTitle(ctx context.Context, id int64, title string) error

	// Each calls fn with each document.
	//
	//cachegen:pass "reason=hands rows out one by one"
	Each(ctx context.Context, fn func(Doc) error) error

	// All is Each as an iterator.
	//
	//cachegen:pass
	All(ctx context.Context, opts ...Option) iter.Seq2[Doc, error]

	// Watch sends the ids of documents that change.
	//
	//cachegen:pass
	Watch(buffer int) (ids <-chan int64, stop func())

	// Export writes a document, Import reads one.
	//
	//cachegen:pass
	Export(ctx context.Context, id int64, w io.Writer) (n int64, err error)

	//cachegen:pass
	Import(_ context.Context, id int64, r interface{ io.Reader }) error

	// Body returns a document's body as a stream.
	//
	//cachegen:pass
	Body(context.Context, int64) (io.ReadCloser, error)

	// InTx runs statements on a transaction of the caller's.
	//
	//cachegen:pass
	InTx(tx *sql.Tx, opts *sql.TxOptions, _, _ string) (Library, any)

	// Hook has a type that only a literal can name.
	//
	//cachegen:pass
	Hook(c struct {
		Before, After func(ctx context.Context, err *error)
	}, t map[string]chan<- error) (restore func() error)

	// Touch has neither results nor parameters with names.
	//
	//cachegen:pass
	Touch(int64, ...string)

	//cachegen:pass
	Close() error
}
