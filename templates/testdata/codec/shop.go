// Package shop has one value of each shape.
package shop

import (
	"math/big"
	"net/netip"
	"net/url"
	"time"
)

type Status int8

type Author struct {
	Name string
	Born *time.Time
}

type Book struct {
	ID      int64
	Version int
	Title   string
	Status  Status
	Price   float64
	Cover   []byte
	ISBN    [13]byte
	Tags    []string
	At      time.Time
	Author  *Author
	Related map[Status][]Author
	Amount  big.Int
	Home    url.URL
	Addr    netip.Addr
	Both    struct{ X, Y int }
	token   string
	seen    map[string]bool `cachegen:"-"`
}

type Page[T any] struct {
	Items []T
	Total int
}

// Results lists the values that get codecs.
type Results struct {
	A *Book
	B []Book
	C Page[Author]
	D int
	E map[string]*Book
	F struct{}
	G [2][]Status
	H time.Time
}
