package codecs

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Values hands out values made anew at each call, so that nobody shares them.
type Values struct {
	memdb.Calls
	Make Makers
}

// Makers make the i-th value of each type.
type Makers struct {
	Scalars   func(i int) Scalars
	Nested    func(i int) *Nested
	Times     func(i int) Times
	Paired    func(i int) Paired
	Embedding func(i int) *Embedding
	Grid      func(i int) Grid
	Blob      func(i int) Blob
	Bytes     func(i int) []byte
	Time      func(i int) time.Time
	Prices    func(i int) Prices
	Amounts   func(i int) map[string][]*Amount
}

func made[T any](v *Values, maker func(int) T, i int) (T, error) {
	v.Called("made")
	return maker(i), nil
}

func (v *Values) Scalars(_ context.Context, i int) (Scalars, error) {
	return made(v, v.Make.Scalars, i)
}

func (v *Values) Nested(_ context.Context, i int) (*Nested, error) {
	return made(v, v.Make.Nested, i)
}

func (v *Values) Times(_ context.Context, i int) (Times, error) {
	return made(v, v.Make.Times, i)
}

func (v *Values) Paired(_ context.Context, i int) (Paired, error) {
	return made(v, v.Make.Paired, i)
}

func (v *Values) Embedding(_ context.Context, i int) (*Embedding, error) {
	return made(v, v.Make.Embedding, i)
}

func (v *Values) Grid(_ context.Context, i int) (Grid, error) { return made(v, v.Make.Grid, i) }

func (v *Values) Blob(_ context.Context, i int) (Blob, error) { return made(v, v.Make.Blob, i) }

func (v *Values) Bytes(_ context.Context, i int) ([]byte, error) {
	return made(v, v.Make.Bytes, i)
}

func (v *Values) Time(_ context.Context, i int) (time.Time, error) {
	return made(v, v.Make.Time, i)
}

func (v *Values) Prices(_ context.Context, i int) (Prices, error) {
	return made(v, v.Make.Prices, i)
}

func (v *Values) Amounts(_ context.Context, i int) (map[string][]*Amount, error) {
	return made(v, v.Make.Amounts, i)
}

func (v *Values) Reset(context.Context) error { return nil }
