package codecs

import (
	"bytes"
	"encoding/binary"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

var spoiled = flag.Int("encodings", 50_000, "spoiled encodings that TestSpoiledEncodings tries")

// decoder rebuilds a value, and encodes it again.
type decoder func(b []byte) (again []byte, err error)

func decoderOf[V any](c cachert.Codec[V]) decoder {
	return func(b []byte) ([]byte, error) {
		v, err := c.Decode(b)
		if err != nil {
			return nil, err
		}
		if c.Clone != nil {
			_ = c.Clone(v)
		}
		if c.Size != nil {
			_ = c.Size(v)
		}
		return c.Append(nil, v)
	}
}

var decoders = []decoder{
	decoderOf(codecsCodecNestedPtr),
	decoderOf(codecsCodecTimes),
	decoderOf(codecsCodecPaired),
	decoderOf(codecsCodecEmbeddingPtr),
	decoderOf(codecsCodecScalars),
	decoderOf(codecsCodecPrices),
	decoderOf(codecsCodecByteSlice),
	decoderOf(codecsCodecStringToAmountPtrSlice),
}

// encodings are encodings of values of all kinds.
func encodings(t testing.TB) (all [][]byte) {
	t.Helper()
	add := func(b []byte, err error) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, b)
	}
	for i := range 3 {
		add(codecsCodecNestedPtr.Append(nil, nested(i)))
	}
	add(codecsCodecScalars.Append(nil, full))
	add(codecsCodecTimes.Append(nil, Times{At: day, Maybe: &day, Length: 5}))
	add(codecsCodecPrices.Append(nil, Prices{"red": 1, "blue": 2}))
	add(codecsCodecByteSlice.Append(nil, []byte("bytes")))
	return all
}

// longest is the header of a list with as many elements as can be announced.
var longest = []byte{0xdd, 0xff, 0xff, 0xff, 0xff}

// announcing are encodings that promise more than there is, followed by zeros or nils: what
// costs the decoder most.
func announcing() (all [][]byte) {
	for _, filler := range []byte{0x00, 0xc0, 0x90, 0xa0, 0xc2} {
		rest := bytes.Repeat([]byte{filler}, 64<<10)
		for _, n := range []uint32{1 << 8, 1 << 12, 1 << 16, 1 << 31, 1<<32 - 1} {
			list := binary.BigEndian.AppendUint32([]byte{0xdd}, n)
			all = append(all, append(bytes.Clone(list), rest...))
			all = append(all, append(append([]byte{0xc3}, list...), rest...))                               // behind a pointer
			all = append(all, append(append([]byte{0xc3, 0x9f, 0xc0, 0xc0}, list...), rest...))             // the first list of a struct
			all = append(all, append(append([]byte{0xc3, 0x9f, 0xc0, 0xc0, 0xc0, 0xc0}, list...), rest...)) // and another
			all = append(all, append(binary.BigEndian.AppendUint32([]byte{0xdb}, n), rest...))              // a string
			all = append(all, append(binary.BigEndian.AppendUint32([]byte{0xc6}, n), rest...))              // bytes
		}
	}
	return all
}

// proportion is how many bytes a decoder may allocate for each byte of its input: an element of
// one byte can be a slice or a string in memory, or an element of a map.
const proportion = 64

// try decodes b by every codec. It fails when one of them allocates out of proportion.
func try(t *testing.T, b []byte) (worst uint64) {
	t.Helper()
	for i, decode := range decoders {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = decode(b)
		runtime.ReadMemStats(&after)
		got := after.TotalAlloc - before.TotalAlloc
		if got > uint64(proportion*len(b)) {
			t.Errorf("codec %d: %d bytes allocated for %d: %.60x", i, got, len(b), b)
		}
		worst = max(worst, got/uint64(len(b)))
	}
	return worst
}

func TestAnnouncedLengthsAreNotBelieved(t *testing.T) {
	worst := uint64(0)
	for _, b := range announcing() {
		worst = max(worst, try(t, b))
	}
	t.Logf("at most %d bytes allocated for each byte", worst)
}

// spoil changes an encoding at random, lengths above all.
func spoil(rnd *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	for range 1 + rnd.IntN(3) {
		at := rnd.IntN(len(b))
		switch rnd.IntN(5) {
		case 0:
			b[at] ^= 1 << rnd.IntN(8)
		case 1:
			b[at] = byte(rnd.Uint32())
		case 2:
			b = append(b[:at:at], append(bytes.Clone(longest), b[at:]...)...)
		case 3:
			b = b[:at+1]
		case 4:
			b = append(b[:at:at], b[rnd.IntN(len(b)):]...)
		}
		if len(b) == 0 {
			return []byte{0xc0}
		}
	}
	return b
}

// No spoiled encoding makes a decoder panic, and what is decoded can be encoded.
func TestSpoiledEncodings(t *testing.T) {
	all := encodings(t)
	rnd := rand.New(rand.NewPCG(uint64(*spoiled), 1))
	decoded := 0
	for range *spoiled {
		b := spoil(rnd, all[rnd.IntN(len(all))])
		for i, decode := range decoders {
			again, err := decode(b)
			if err != nil {
				continue
			}
			decoded++
			if _, err := decode(again); err != nil {
				t.Fatalf("codec %d: %x became %x: %v", i, b, again, err)
			}
		}
	}
	t.Logf("%d tried with %d codecs, %d decoded to some value", *spoiled, len(decoders), decoded)
}

func FuzzCodecs(f *testing.F) {
	for i, b := range append(encodings(f), announcing()[:10]...) {
		f.Add(b[:min(len(b), 200)], uint8(i))
	}
	f.Fuzz(func(t *testing.T, b []byte, which uint8) {
		decode := decoders[int(which)%len(decoders)]
		again, err := decode(b)
		if err != nil {
			return
		}
		if _, err := decode(again); err != nil {
			t.Error(fmt.Errorf("%x became %x: %w", b, again, err))
		}
	})
}
