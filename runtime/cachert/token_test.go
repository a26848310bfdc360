package cachert

import (
	"encoding/base64"
	"encoding/binary"
	"hash/crc32"
	"maps"
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

func randomNotes(rnd *rand.Rand, n int) (told, open map[uint64]note) {
	told, open = map[uint64]note{}, map[uint64]note{}
	moment := func() time.Time { return time.UnixMilli(rnd.Int64N(maxTime)) }
	for range n {
		told[rnd.Uint64()] = note{period: rnd.Uint64(), until: moment()}
		if len(open) < maxOpen {
			open[rnd.Uint64()] = note{after: moment(), until: moment()}
		}
	}
	return told, open
}

func TestTokenRoundTrip(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	longest := 0
	for n := range maxTold + 1 {
		told, open := randomNotes(rnd, n)
		token := formatToken(told, open)
		longest = max(longest, len(token))
		if n == 0 {
			if token != "" {
				t.Errorf("token of nothing: %q", token)
			}
			continue
		}
		told2, open2, err := parseToken(token)
		if err != nil || len(told2) != len(told) || len(open2) != len(open) {
			t.Fatalf("%d notes: %v", n, err)
		}
		if again := formatToken(told2, open2); again != token {
			t.Errorf("%q became %q", token, again)
		}
	}
	if longest > maxToken {
		t.Errorf("a token of %d characters is longer than is read", longest)
	}
}

// Whatever a client sends instead of its token is ignored and counted.
func TestTokenDamaged(t *testing.T) {
	s := newShop(t, nil)
	told, open := randomNotes(rand.New(rand.NewPCG(2, 2)), 5)
	token := formatToken(told, open)
	bad := []string{" ", "=", strings.Repeat("A", maxToken+1), strings.Repeat("A", maxToken), token + "A", token + "AAAA"}
	for i := range len(token) {
		if i > 0 {
			bad = append(bad, token[:i])
		}
		flipped := []byte(token)
		flipped[i] ^= 1
		bad = append(bad, string(flipped))
	}
	for i, b := range bad {
		session := s.cache.NewSession(b)
		if session.Token() != "" {
			t.Errorf("%q says something", b)
		}
		if n := s.cache.Stats().TokensIgnored; n != uint64(i+1) {
			t.Fatalf("%q: %d counted, want %d", b, n, i+1)
		}
	}
	// Adding it leaves what is known.
	session := s.cache.NewSession(token)
	before := session.Token()
	session.Add("rubbish")
	if session.Token() != before || before == "" {
		t.Error("rubbish changed the session")
	}
}

// A token may be well-formed and still be made up: no time in it makes a note for ever.
func TestTokenFromTheFuture(t *testing.T) {
	s := newShop(t, nil)
	far := time.UnixMilli(maxTime)
	session := s.cache.NewSession(formatToken(
		map[uint64]note{1: {until: far}}, map[uint64]note{1: {until: far, after: far}}))
	limit := time.Now().Add(s.cache.cellTTL() + s.cache.opt.Lease)
	if session.Until().After(limit) || session.Until().IsZero() {
		t.Errorf("until %v, want at most %v", session.Until(), limit)
	}
}

// Two branches of one session that changed the same cell: which came last is not known.
func TestTokensMerge(t *testing.T) {
	s := newShop(t, nil)
	soon := time.Now().Add(10 * time.Second).Truncate(time.Millisecond)
	one := formatToken(map[uint64]note{5: {period: 1, until: soon}, 6: {period: 3, until: soon}}, nil)
	two := formatToken(map[uint64]note{5: {period: 2, until: soon.Add(-time.Second)}}, map[uint64]note{5: {after: soon, until: soon}})
	session := s.cache.NewSession(one)
	session.Add(two)
	want := formatToken(map[uint64]note{5: {until: soon}, 6: {period: 3, until: soon}}, map[uint64]note{5: {after: soon, until: soon}})
	if got := session.Token(); got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// The body is fuzzed behind a right checksum, and without one.
func FuzzToken(f *testing.F) {
	for n := range 4 {
		body, _ := base64.RawURLEncoding.DecodeString(formatToken(randomNotes(rand.New(rand.NewPCG(3, uint64(n))), n)))
		f.Add(body[:max(0, len(body)-4)])
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if _, _, err := parseToken(string(body)); err == nil && len(body) > 0 {
			return // a real token as it is
		}
		whole := binary.BigEndian.AppendUint32(body[:len(body):len(body)], crc32.ChecksumIEEE(body))
		told, open, err := parseToken(base64.RawURLEncoding.EncodeToString(whole))
		if err != nil {
			return
		}
		if len(told) > maxTold || len(open) > maxOpen {
			t.Fatalf("%d and %d notes", len(told), len(open))
		}
		again, more, err := parseToken(formatToken(told, open))
		if len(told)+len(open) > 0 && (err != nil || !maps.Equal(again, told) || !maps.Equal(more, open)) {
			t.Fatalf("not read as written: %v", err)
		}
	})
}
