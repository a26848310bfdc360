package cachert

import (
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// kind says what an entry holds.
type kind byte

const (
	kindNone   kind = iota // not storable
	kindValue              // a value
	kindAbsent             // a value that means "not there"
	kindError              // a NotFound sentinel, together with the value that came with it
)

// envelope is the stored form of an entry.
//
//	byte    version
//	byte    kind
//	uvarint index of the sentinel
//	varint  time stored, expiry: µs since 1970, by the clock of the process that stored it
//	uvarint number of dependencies, then for each: cell, generation (length-prefixed)
//	rest    the value's encoding
type envelope struct {
	kind     kind
	sentinel int
	stored   time.Time
	expires  time.Time
	deps     []dep
	payload  []byte // aliases the encoding
}

// dep is a tag cell and the generation it had before the value was loaded.
type dep struct {
	cell string
	gen  store.Generation
}

const envelopeVersion = 1

var errEnvelope = errors.New("cachegen: malformed entry")

func (e *envelope) append(b []byte) []byte {
	size := 2 + 4*binary.MaxVarintLen64 + len(e.payload)
	for _, d := range e.deps {
		size += len(d.cell) + len(d.gen) + 4
	}
	b = slices.Grow(b, size)
	b = append(b, envelopeVersion, byte(e.kind))
	b = binary.AppendUvarint(b, uint64(e.sentinel))
	b = binary.AppendVarint(b, e.stored.UnixMicro())
	b = binary.AppendVarint(b, e.expires.UnixMicro())
	b = binary.AppendUvarint(b, uint64(len(e.deps)))
	for _, d := range e.deps {
		b = appendString(b, d.cell)
		b = appendString(b, string(d.gen))
	}
	return append(b, e.payload...)
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// parseEnvelope accepts exactly what append writes. It never allocates more than b's size
// allows for.
func parseEnvelope(b []byte) (envelope, error) {
	p := parser{b: b}
	version, k := p.byte(), kind(p.byte())
	e := envelope{kind: k, sentinel: int(p.uvarint())}
	e.stored = time.UnixMicro(p.varint())
	e.expires = time.UnixMicro(p.varint())
	n := p.uvarint()
	if p.bad || version != envelopeVersion || k < kindValue || k > kindError || n > uint64(len(p.b)) {
		return envelope{}, errEnvelope
	}
	e.deps = make([]dep, 0, min(n, uint64(len(p.b)/2)))
	for range n {
		e.deps = append(e.deps, dep{p.string(), store.Generation(p.string())})
		if p.bad {
			return envelope{}, errEnvelope
		}
	}
	e.payload = p.b
	return e, nil
}

// parser reads from b until something is missing; then bad stays set.
type parser struct {
	b   []byte
	bad bool
}

func (p *parser) byte() byte {
	if len(p.b) == 0 {
		p.bad = true
		return 0
	}
	c := p.b[0]
	p.b = p.b[1:]
	return c
}

func (p *parser) uvarint() uint64 {
	v, n := binary.Uvarint(p.b)
	return v + p.skip(n)
}

func (p *parser) varint() int64 {
	v, n := binary.Varint(p.b)
	return v + int64(p.skip(n))
}

func (p *parser) skip(n int) uint64 {
	if n <= 0 {
		p.bad = true
		return 0
	}
	p.b = p.b[n:]
	return 0
}

func (p *parser) string() string {
	n := p.uvarint()
	if n > uint64(len(p.b)) {
		p.bad = true
		return ""
	}
	s := string(p.b[:n])
	p.b = p.b[n:]
	return s
}
