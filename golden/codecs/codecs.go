// Package codecs pins that a value comes back from its encoding, and as a copy, exactly as the
// source returned it: all kinds, nested, with nil and empty kept apart, times with their
// zones, types with a marshal pair of their own. What is left out by cachegen:"-" is left out
// of misses too, so that hits and misses look alike.
package codecs

import (
	"context"
	"math/big"
	"net/netip"
	"net/url"
	"time"
)

//go:generate go tool cachegen

// Named kinds.
type (
	Color  string
	Cents  int64
	Ratio  float32
	Digest [4]byte
	Blob   []byte
	Tags   []Color
	Prices map[Color]Cents
	Grid   [2][3]int16
)

// Scalars has a field of every basic kind.
type Scalars struct {
	Bool    bool
	Int     int
	Int8    int8
	Int16   int16
	Int32   int32
	Int64   int64
	Uint    uint
	Uint8   uint8
	Uint16  uint16
	Uint32  uint32
	Uint64  uint64
	Float32 float32
	Float64 float64
	Complex complex128
	String  string
	Color   Color
	Ratio   Ratio
}

// Nested has pointers, slices, maps and arrays of each other.
type Nested struct {
	Name   *string
	Deep   **int64
	Rows   []Scalars
	Ptrs   []*Scalars
	Matrix [][]int
	ByName map[string]*Scalars
	Lists  map[Color][]Cents
	ByDay  map[[2]int]bool
	Blob   Blob
	Digest Digest
	Tags   Tags
	Prices Prices
	Grid   Grid
	Inner  struct {
		X, Y int
		Next *struct{ Z string }
	}
	Unit struct{}
}

// Times are instants: with a zone by name, one by offset, UTC, zero, with a monotonic clock.
type Times struct {
	At     time.Time
	Maybe  *time.Time
	List   []time.Time
	Length time.Duration
	Month  time.Month
}

// Paired has types that marshal themselves.
type Paired struct {
	Addr   netip.Addr
	Prefix *netip.Prefix
	Big    *big.Int
	Sum    big.Int
	Link   *url.URL
	Amount Amount
	Level  Level
	Hosts  map[netip.Addr]string
}

// Base is embedded.
type Base struct {
	ID      int64
	Created time.Time
}

// Embedding has embedded structs, by value and by pointer, and fields nobody may store.
type Embedding struct {
	Base
	*Scalars
	Title  string
	secret string
	Cached map[string]int `cachegen:"-"`
	token  chan int       `cachegen:"-"`
	_      [3]byte
}

// Store has a value of each type.
//
//cachegen:repo name=codecs ttl=10m
type Store interface {
	//cachegen:read tag=all
	Scalars(ctx context.Context, i int) (Scalars, error)
	//cachegen:read tag=all
	Nested(ctx context.Context, i int) (*Nested, error)
	//cachegen:read tag=all
	Times(ctx context.Context, i int) (Times, error)
	//cachegen:read tag=all
	Paired(ctx context.Context, i int) (Paired, error)
	//cachegen:read tag=all
	Embedding(ctx context.Context, i int) (*Embedding, error)
	//cachegen:read tag=all
	Grid(ctx context.Context, i int) (Grid, error)
	//cachegen:read tag=all
	Blob(ctx context.Context, i int) (Blob, error)
	//cachegen:read tag=all
	Bytes(ctx context.Context, i int) ([]byte, error)
	//cachegen:read tag=all
	Time(ctx context.Context, i int) (time.Time, error)
	//cachegen:read tag=all
	Prices(ctx context.Context, i int) (Prices, error)
	//cachegen:read tag=all
	Amounts(ctx context.Context, i int) (map[string][]*Amount, error)

	//cachegen:write drop=all
	Reset(ctx context.Context) error
}
