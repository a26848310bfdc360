package cachert

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"maps"
	"slices"
	"time"
)

// A token is, in base64url without padding:
//
//	byte    version
//	uvarint number of told notes, then for each: hash, period (8 bytes each), until
//	uvarint number of open notes, then for each: hash (8 bytes), after, until
//	4 bytes CRC-32 of all that
//
// Times are uvarints, ms since 1970. Notes stand in the order of their hashes: equal sessions
// have equal tokens.
const (
	tokenVersion = 1
	maxToken     = 2048
)

var errToken = errors.New("cachegen: malformed session token")

func formatToken(told, open map[uint64]note) string {
	if len(told)+len(open) == 0 {
		return ""
	}
	b := []byte{tokenVersion}
	b = binary.AppendUvarint(b, uint64(len(told)))
	for _, hash := range slices.Sorted(maps.Keys(told)) {
		b = binary.BigEndian.AppendUint64(b, hash)
		b = binary.BigEndian.AppendUint64(b, told[hash].period)
		b = appendTime(b, told[hash].until)
	}
	b = binary.AppendUvarint(b, uint64(len(open)))
	for _, hash := range slices.Sorted(maps.Keys(open)) {
		b = binary.BigEndian.AppendUint64(b, hash)
		b = appendTime(b, open[hash].after)
		b = appendTime(b, open[hash].until)
	}
	b = binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(b))
	return base64.RawURLEncoding.EncodeToString(b)
}

// appendTime rounds up: to know something for longer does no harm.
func appendTime(b []byte, t time.Time) []byte {
	return binary.AppendUvarint(b, uint64(max(0, t.Add(time.Millisecond-1).UnixMilli())))
}

// parseToken accepts what formatToken writes, and nothing longer than it can be.
func parseToken(token string) (told, open map[uint64]note, err error) {
	if len(token) > maxToken {
		return nil, nil, errToken
	}
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || len(b) < 5 {
		return nil, nil, errToken
	}
	body, sum := b[:len(b)-4], b[len(b)-4:]
	if binary.BigEndian.Uint32(sum) != crc32.ChecksumIEEE(body) {
		return nil, nil, errToken
	}
	p := parser{b: body}
	if p.byte() != tokenVersion {
		return nil, nil, errToken
	}
	told = p.notes(maxTold, func() note { return note{period: p.uint64(), until: p.time()} })
	open = p.notes(maxOpen, func() note { return note{after: p.time(), until: p.time()} })
	if p.bad || len(p.b) > 0 {
		return nil, nil, errToken
	}
	return told, open, nil
}

func (p *parser) notes(most uint64, read func() note) map[uint64]note {
	n := p.uvarint()
	if n > most {
		p.bad = true
	}
	if p.bad {
		return nil
	}
	notes := make(map[uint64]note, n)
	for range n {
		hash := p.uint64()
		notes[hash] = read()
	}
	return notes
}

func (p *parser) uint64() uint64 {
	if len(p.b) < 8 {
		p.bad = true
		return 0
	}
	v := binary.BigEndian.Uint64(p.b)
	p.b = p.b[8:]
	return v
}

// maxTime keeps sums of times and durations from overflowing.
const maxTime = 1 << 43 // the year 2248

func (p *parser) time() time.Time {
	ms := p.uvarint()
	if ms > maxTime {
		p.bad = true
		return time.Time{}
	}
	return time.UnixMilli(int64(ms))
}
