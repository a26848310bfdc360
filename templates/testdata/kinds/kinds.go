// Package kinds has a value of every kind that has a codec.
package kinds

import (
	"encoding/binary"
	"errors"
	"math/big"
	"net/netip"
	"net/url"
	"sync"
	"time"

	"kinds/other"
)

type (
	Flag   bool
	Word   string
	Small  int8
	Large  uint64
	Weight float32
	Phase  complex64
	Raw    []byte
	UUID   [16]byte
	IDs    []Small
	Index  map[Word]int
	Ref    *Scalars
	Grid   [2][3]int16
)

type Scalars struct {
	B    bool
	I    int
	I8   int8
	I16  int16
	I32  int32
	I64  int64
	U    uint
	U8   uint8
	U16  uint16
	U32  uint32
	U64  uint64
	F32  float32
	F64  float64
	C64  complex64
	C128 complex128
	S    string
	R    rune
	Y    byte
}

type Named struct {
	Flag   Flag
	Word   Word
	Small  Small
	Large  Large
	Weight Weight
	Phase  Phase
	Raw    Raw
	UUID   UUID
	IDs    IDs
	Index  Index
	Ref    Ref
	Grid   Grid
}

// Point is a comparable struct, used as a key of maps.
type Point struct{ X, Y int }

type base struct{ ID int64 }

type Nested struct {
	base
	*Point
	time.Time
	Bytes   []byte
	Pages   [][]byte
	Words   []string
	Deep    ***int
	Opt     *string
	List    []*Scalars
	Flags   map[bool][]Flag
	ByPoint map[Point]*Point
	ByUUID  map[UUID]map[string][]int
	ByAddr  map[netip.Addr]uint8
	Anon    struct{ X, Y float32 } `json:"anon"`
	Boxes   []struct {
		W Word `json:"w"`
	}
	Generic other.Pair[Word, []other.Item]
	Empty   struct{}
	None    [0]*int
	Alias   other.Public
	Until   *time.Time
	_       int
	secret  string
}

// Amount is like the decimal types: unexported fields and a binary pair.
type Amount struct {
	value *big.Int
	exp   int32
}

func NewAmount(v int64, exp int32) Amount { return Amount{big.NewInt(v), exp} }

func (a Amount) MarshalBinary() ([]byte, error) {
	b := binary.BigEndian.AppendUint32(nil, uint32(a.exp))
	if a.value == nil {
		return b, nil
	}
	return append(b, a.value.String()...), nil
}

func (a *Amount) UnmarshalBinary(b []byte) error {
	if len(b) < 4 {
		return errors.New("short amount")
	}
	*a = Amount{exp: int32(binary.BigEndian.Uint32(b))}
	if len(b) == 4 {
		return nil
	}
	v, ok := new(big.Int).SetString(string(b[4:]), 10)
	if !ok {
		return errors.New("not a number")
	}
	a.value = v
	return nil
}

// Appended has no MarshalText.
type Appended struct{ c chan int }

func (Appended) AppendText(b []byte) ([]byte, error) { return append(b, "appended"...), nil }
func (*Appended) UnmarshalText(b []byte) error {
	if string(b) != "appended" {
		return errors.New("not appended")
	}
	return nil
}

type Pairs struct {
	Amount   Amount
	Price    *Amount
	Big      big.Int
	BigPtr   *big.Int
	URL      url.URL
	Addr     netip.Addr
	Port     netip.AddrPort
	Prefix   netip.Prefix
	Appended Appended
	Amounts  map[string][]Amount
	Message  *other.Message
	Messages []*other.Message
}

// Locked has fields that are left out, one of which must not be copied.
type Locked struct {
	mu    sync.Mutex `cachegen:"-"`
	Name  string
	cache map[string]int `cachegen:"-"`
	Meta  other.Hidden
}

// Times are instants with their zones.
type Times struct{ A, B, C time.Time }

// Results lists the values that get codecs.
type Results struct {
	Scalars   Scalars
	Named     *Named
	Nested    []Nested
	Pairs     *Pairs
	PairsMap  map[Point]Pairs
	Locked    *Locked
	Times     Times
	Small     Small
	Word      string
	Bytes     []byte
	Raw       Raw
	When      time.Time
	Nothing   struct{}
	Amount    Amount
	Message   *other.Message
	Grid      Grid
	Public    other.Public
	Anonymous struct{ Title string }
}
