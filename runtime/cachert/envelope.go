package cachert

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"time"
	"unsafe"

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
//	4 bytes checksum over the entry's key and all that follows
//	byte    kind
//	uvarint index of the sentinel
//	varint  time stored, expiry: µs since 1970, by the clock of the process that stored it
//	uvarint number of dependencies, then for each: cell, generation (length-prefixed)
//	bytes   the value's encoding (length-prefixed), to the end
//
// The lengths give every truncation away. The checksum is CRC-32C, which the processor
// computes about as fast as memory is read, and gives away for certain every single changed
// bit and every burst of up to 32. It is there against accidents: who can write to the store
// can forge an entry, but not one that does harm while it is parsed. The key is part of it, so that
// an entry that has come under another one's key is not valid there.
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

const (
	envelopeVersion = 2
	envelopeHead    = 5 // version and checksum
)

// maxDeps bounds the cells that one entry names.
const maxDeps = 4 * maxRows

var errEnvelope = errors.New("cachegen: malformed entry, or one of another version")

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key string, body []byte) uint32 {
	k := unsafe.Slice(unsafe.StringData(key), len(key)) // read only
	return crc32.Update(crc32.Checksum(k, castagnoli), castagnoli, body)
}

// append appends the form in which e is stored under key.
func (e *envelope) append(b []byte, key string) []byte {
	size := envelopeHead + 1 + 5*binary.MaxVarintLen64 + len(e.payload)
	for _, d := range e.deps {
		size += len(d.cell) + len(d.gen) + 4
	}
	b = slices.Grow(b, size)
	start := len(b)
	b = append(b, envelopeVersion, 0, 0, 0, 0, byte(e.kind))
	b = binary.AppendUvarint(b, uint64(e.sentinel))
	b = binary.AppendVarint(b, e.stored.UnixMicro())
	b = binary.AppendVarint(b, e.expires.UnixMicro())
	b = binary.AppendUvarint(b, uint64(len(e.deps)))
	for _, d := range e.deps {
		b = appendString(b, d.cell)
		b = appendString(b, string(d.gen))
	}
	b = binary.AppendUvarint(b, uint64(len(e.payload)))
	b = append(b, e.payload...)
	head := b[start:]
	binary.LittleEndian.PutUint32(head[1:], checksum(key, head[envelopeHead:]))
	return b
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// parseEnvelope accepts what append writes for key. Whatever b is it does not panic, and it
// allocates no more than a small multiple of b's size.
func parseEnvelope(b []byte, key string) (envelope, error) {
	if len(b) < envelopeHead || b[0] != envelopeVersion ||
		binary.LittleEndian.Uint32(b[1:]) != checksum(key, b[envelopeHead:]) {
		return envelope{}, errEnvelope
	}
	return parseBody(b[envelopeHead:])
}

func parseBody(b []byte) (envelope, error) {
	p := parser{b: b}
	e := envelope{kind: kind(p.byte())}
	sentinel := p.uvarint()
	e.stored = time.UnixMicro(p.varint())
	e.expires = time.UnixMicro(p.varint())
	n := p.uvarint()
	if p.bad || e.kind < kindValue || e.kind > kindError || sentinel > math.MaxUint16 || n > maxDeps {
		return envelope{}, errEnvelope
	}
	e.sentinel = int(sentinel)
	e.deps = make([]dep, 0, min(n, uint64(len(p.b)/2)))
	for range n {
		e.deps = append(e.deps, dep{p.string(), store.Generation(p.string())})
		if p.bad {
			return envelope{}, errEnvelope
		}
	}
	if size := p.uvarint(); p.bad || size != uint64(len(p.b)) {
		return envelope{}, errEnvelope
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
