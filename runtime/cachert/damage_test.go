package cachert

import (
	"bytes"
	"context"
	"encoding/binary"
	"flag"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

var fuzzed = flag.Int("envelopes", 200_000, "damaged and forged entries that TestDamagedEnvelopes tries")

// recorder keeps what is filled into a store.
type recorder struct {
	store.Store
	mu      sync.Mutex
	entries []store.Entry
}

func (r *recorder) Fill(ctx context.Context, f store.FillRequest) error {
	r.mu.Lock()
	r.entries = append(r.entries, f.Entry)
	r.mu.Unlock()
	return r.Store.Fill(ctx, f)
}

// realEntries makes n entries the way reads do: books with tags of many lengths, books that
// are not there, lists with the tags of their rows.
func realEntries(t testing.TB, n int) []store.Entry {
	t.Helper()
	rec := &recorder{}
	s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) {
		rec.Store, o.Store, o.NearEntries = o.Store, rec, -1
	})
	rnd, ctx := rand.New(rand.NewPCG(1, 1)), context.Background()
	for i := range int64(n) {
		switch {
		case i%10 == 0:
			_, _ = s.get(ctx, -i-1) // not there
		case i%10 == 1: // its rows are not predicted: a second load, one fill
			s.rows[i+100_000] = book{ID: i + 100_000, Author: i, Version: 1}
			if _, err := s.byAuthor(ctx, i); err != nil {
				t.Fatal(err)
			}
		default:
			b := book{ID: i, Author: rnd.Int64(), Version: rnd.Int64()}
			for range rnd.IntN(4) {
				b.Tags = append(b.Tags, strings.Repeat(strconv.Itoa(rnd.Int()), rnd.IntN(5)))
			}
			s.rows[i] = b
			s.mustGet(ctx, i)
		}
		s.drain()
	}
	if len(rec.entries) != n {
		t.Fatalf("%d entries, want %d", len(rec.entries), n)
	}
	return rec.entries
}

func TestEveryTruncationAndFlippedBitIsNoticed(t *testing.T) {
	truncations, flips := 0, 0
	for _, e := range realEntries(t, 1000) {
		if _, err := parseEnvelope(e.Value, e.Key); err != nil {
			t.Fatalf("%s is not read back: %v", e.Key, err)
		}
		for n := range e.Value {
			truncations++
			if _, err := parseEnvelope(e.Value[:n], e.Key); err == nil {
				t.Fatalf("%s: %d of %d bytes are accepted", e.Key, n, len(e.Value))
			}
		}
		damaged := bytes.Clone(e.Value)
		for bit := range 8 * len(damaged) {
			flips++
			damaged[bit/8] ^= 1 << (bit % 8)
			if _, err := parseEnvelope(damaged, e.Key); err == nil {
				t.Fatalf("%s: accepted with bit %d changed", e.Key, bit)
			}
			damaged[bit/8] ^= 1 << (bit % 8)
		}
	}
	t.Logf("1000 entries, %d truncations, %d flipped bits", truncations, flips)
}

// An entry under a key that is not its own is not valid there, whoever has moved it.
func TestAnEntryUnderAnotherKeyIsNotAccepted(t *testing.T) {
	e := realEntries(t, 2)
	if _, err := parseEnvelope(e[0].Value, e[1].Key); err == nil {
		t.Error("the entry of another key is accepted")
	}
}

// damageMore spoils an entry as storage, a bad program or an attacker might; forged entries
// have a checksum that fits.
func damageMore(rnd *rand.Rand, e, other store.Entry) (b []byte, forged bool) {
	b = bytes.Clone(e.Value)
	for range 1 + rnd.IntN(4) {
		at := rnd.IntN(len(b))
		switch rnd.IntN(7) {
		case 0:
			b[at] ^= 1 << rnd.IntN(8)
		case 1:
			b[at] = byte(rnd.Uint32())
		case 2: // lengths live in small numbers: make one huge
			b = append(b[:at:at], append(binary.AppendUvarint(nil, rnd.Uint64()>>rnd.IntN(64)), b[at:]...)...)
		case 3:
			b = b[:at+1]
		case 4:
			b = append(b[:at:at], other.Value[rnd.IntN(len(other.Value)):]...)
		case 5:
			b = append(b, b[at:]...)
		case 6:
			for i := range b[at:min(len(b), at+8)] {
				b[at+i] = byte(rnd.Uint32())
			}
		}
		if len(b) == 0 {
			b = []byte{0}
		}
	}
	if forged = rnd.IntN(2) == 0 && len(b) >= envelopeHead; forged {
		b[0] = envelopeVersion
		binary.LittleEndian.PutUint32(b[1:], checksum(e.Key, b[envelopeHead:]))
	}
	return b, forged
}

// Nothing makes parseEnvelope panic or allocate out of proportion, and what is damaged by
// accident is not accepted.
func TestDamagedEnvelopes(t *testing.T) {
	entries := realEntries(t, 200)
	rnd := rand.New(rand.NewPCG(uint64(*fuzzed), 2))
	forgeries, accepted := 0, 0
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	var bytesIn uint64
	for range *fuzzed {
		e := entries[rnd.IntN(len(entries))]
		b, forged := damageMore(rnd, e, entries[rnd.IntN(len(entries))])
		bytesIn += uint64(len(b))
		env, err := parseEnvelope(b, e.Key)
		switch {
		case forged:
			forgeries++
			if err == nil && (env.sentinel < 0 || len(env.payload) > len(b) || len(env.deps) > len(b)/2) {
				t.Fatalf("%x is taken for %+v", b, env)
			}
		case err == nil && !bytes.Equal(b, e.Value):
			accepted++
			t.Errorf("%s: accepted as %x, stored as %x", e.Key, b, e.Value)
		}
	}
	runtime.ReadMemStats(&after)
	// Making the damage allocates too, about five times the size of what comes out.
	if all := after.TotalAlloc - before.TotalAlloc; all > 40*bytesIn+1<<20 {
		t.Errorf("%d bytes allocated for %d bytes of entries", all, bytesIn)
	}
	t.Logf("%d tried, %d of them with a checksum that fits; %d others accepted", *fuzzed, forgeries, accepted)
}

// The worst that a forged entry can announce: as many dependencies as its length allows for.
func TestParsingAllocatesInProportion(t *testing.T) {
	for name, body := range map[string][]byte{
		"dependencies without end": append([]byte{byte(kindValue), 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}, make([]byte, 64<<10)...),
		"as many as are allowed":   append(binary.AppendUvarint([]byte{byte(kindValue), 0, 0, 0}, maxDeps), make([]byte, 64<<10)...),
		"a name without end":       append([]byte{byte(kindValue), 0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f}, make([]byte, 64<<10)...),
	} {
		b := binary.LittleEndian.AppendUint32([]byte{envelopeVersion}, checksum("key", body))
		b = append(b, body...)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = parseEnvelope(b, "key")
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > uint64(2*len(b)) {
			t.Errorf("%s: %d bytes allocated for %d", name, got, len(b))
		}
	}
}

// What a forged entry says about itself must not lead out of the policy's lists.
func TestForgedEntriesAreAMiss(t *testing.T) {
	dependencies := func(s *shop) []dep {
		cells := []string{"test:{*}", "test:{books/*}", "test:{books/book:1}"}
		r, err := s.st.Read(context.Background(), store.ReadRequest{Cells: cells, Fresh: s.cache.fresh, CellTTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		var deps []dep
		for i, c := range cells {
			deps = append(deps, dep{c, r.Cells[i].Generation})
		}
		return deps
	}
	const key = "test:{books/book:1}:books.ByID:s1:1"
	for name, forge := range map[string]func(*envelope){
		"a sentinel that the policy does not have":  func(e *envelope) { e.kind, e.sentinel = kindError, 1 },
		"a sentinel beyond every list":              func(e *envelope) { e.kind, e.sentinel = kindError, -1 },
		"no kind":                                   func(e *envelope) { e.kind = 0 },
		"a kind of the future":                      func(e *envelope) { e.kind = kindError + 1 },
		"a value that cannot be decoded":            func(e *envelope) { e.payload = []byte{1, 0xff} },
		"a tag of the call is not among the deps":   func(e *envelope) { e.deps = e.deps[:2] },
		"a generation with odd bytes":               func(e *envelope) { e.deps[2].gen = "\x00\xff;,\r\n" },
		"more deps than an entry may have":          func(e *envelope) { e.deps = append(e.deps, make([]dep, maxDeps)...) },
		"a dep that is no cell of this namespace":   func(e *envelope) { e.deps = append(e.deps, dep{"other:{x}", "g"}) },
		"a value with bytes behind it, as encoding": func(e *envelope) { e.payload = append(e.payload, 0xff) },
	} {
		t.Run(name, func(t *testing.T) {
			s := newShop(t, nil)
			ctx := context.Background()
			e := envelope{kind: kindValue, stored: time.Now(), expires: time.Now().Add(time.Hour), deps: dependencies(s)}
			e.payload, _ = bookCodec.Append(nil, &book{ID: 1, Version: 99})
			forge(&e)
			err := s.st.Fill(ctx, store.FillRequest{Entry: store.Entry{Key: key, Value: e.append(nil, key), TTL: time.Hour}})
			if err != nil {
				t.Fatal(err)
			}
			if b := s.mustGet(ctx, 1); b.Version != 1 {
				t.Errorf("%+v from a forged entry", b)
			}
			if m := s.stat("ByID"); m.Loads != 1 || m.StoreHits != 0 {
				t.Errorf("%+v, want a load", m)
			}
			r, err := s.st.Read(ctx, store.ReadRequest{Cells: []string{"other:{x}"}, Fresh: s.cache.fresh, CellTTL: time.Hour})
			if err != nil || r.Cells[0].Generation == "g" {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
}

func FuzzEnvelope(f *testing.F) {
	for _, e := range realEntries(f, 20) {
		f.Add(e.Value, e.Key)
	}
	f.Add([]byte{envelopeVersion, 1, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}, "")
	f.Fuzz(func(t *testing.T, b []byte, key string) {
		_, _ = parseEnvelope(b, key)
		if len(b) < envelopeHead {
			return
		}
		e, err := parseBody(b[envelopeHead:]) // as if the checksum fitted
		if err != nil {
			return
		}
		again, err := parseEnvelope(e.append(nil, key), key)
		if err != nil || len(again.deps) != len(e.deps) || !bytes.Equal(again.payload, e.payload) {
			t.Errorf("%x does not survive: %+v, %v", b, again, err)
		}
	})
}
