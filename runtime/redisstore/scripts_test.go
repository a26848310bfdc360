package redisstore

import (
	"context"
	"errors"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/store"
)

// probed starts a server and opens a session on it; ctx ends after a minute.
func probed(t *testing.T) (context.Context, *testserver.RedisServer, *session) {
	t.Helper()
	srv := testserver.Redis(t)
	s, err := New(rueidis.ClientOption{InitAddress: []string{srv.Addr}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	if _, err := s.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	current, err := s.session()
	if err != nil {
		t.Fatal(err)
	}
	return ctx, srv, current
}

// The contract of each script as a table: what stands in the cell, what it is called with,
// what it returns, and what stands there then. In a cell, + is a lease that has long to go
// and - one that has ended; ~ after it means that the write has met another one.
func TestScripts(t *testing.T) {
	ctx, srv, current := probed(t)
	mark := func(token string) []string { return []string{token, "60000"} }
	post := func(token string) []string { return []string{token, "new", "3600000"} }
	bump := func(known, absent string) []string { return []string{known, absent, "new", "3600000"} }
	fresh := []string{"new", "3600000"}
	for _, c := range []struct {
		name   string
		script *script
		before string
		args   []string
		want   string // the reply
		after  string
	}{
		{"make: absent", makeScript, "", fresh, "gnew", "gnew"},
		{"make: a generation", makeScript, "gold", fresh, "gold", "gold"},
		{"make: a marker", makeScript, "a+", fresh, "a+", "a+"},
		{"make: a marker whose lease has ended", makeScript, "a-", fresh, "gnew", "gnew"},
		{"make: one lease of two has ended", makeScript, "a-~ b+~", fresh, "a-~ b+~", "a-~ b+~"},
		{"make: something else", makeScript, "x", fresh, "gnew", "gnew"},

		{"mark: absent", markScript, "", mark("a"), "0", "a+"},
		{"mark: a generation", markScript, "gold", mark("a"), "0", "a+"},
		{"mark: another stands", markScript, "a+", mark("b"), "0", "a+~ b+~"},
		{"mark: two others stand", markScript, "a+~ b+~", mark("c"), "0", "a+~ b+~ c+~"},
		{"mark: another's lease has ended", markScript, "a-", mark("b"), "0", "b+"},
		{"mark: again", markScript, "a+", mark("a"), "0", "a+"},
		{"mark: again, having met one that is gone", markScript, "a+~", mark("a"), "0", "a+~"},
		{"mark: again, beside another", markScript, "a+~ b+~", mark("a"), "0", "a+~ b+~"},
		{"mark: a token that begins like another", markScript, "ab+", mark("a"), "0", "ab+~ a+~"},
		{"mark: a token that ends like another", markScript, "ma+", mark("a"), "0", "ma+~ a+~"},

		{"post: alone", postScript, "a+", post("a"), "1", "gnew"},
		{"post: met one that is gone", postScript, "a+~", post("a"), "2", "gnewr"},
		{"post: others stand", postScript, "a+~ b+~", post("a"), "3", "b+~"},
		{"post: the other's lease has ended", postScript, "a+~ b-~", post("a"), "2", "gnewr"},
		{"post: absent", postScript, "", post("a"), "4", "gnewr"},
		{"post: a generation", postScript, "gold", post("a"), "4", "gnewr"},
		{"post: our lease has ended", postScript, "a-", post("a"), "4", "gnewr"},
		{"post: our lease has ended, another stands", postScript, "a- b+", post("a"), "4", "b+~"},
		{"post: only another stands, alone", postScript, "b+", post("a"), "4", "b+~"},
		{"post: a token that begins like ours", postScript, "ab+", post("a"), "4", "ab+~"},

		{"bump: known", bumpScript, "gold", bump("old", "0"), "1", "gnew"},
		{"bump: another than known", bumpScript, "gother", bump("old", "0"), "2", "gnewr"},
		{"bump: nothing known", bumpScript, "gold", bump("", "0"), "2", "gnewr"},
		{"bump: absent, not accepted", bumpScript, "", bump("old", "0"), "2", "gnewr"},
		{"bump: absent, accepted", bumpScript, "", bump("", "1"), "1", "gnew"},
		{"bump: absent accepted, a generation", bumpScript, "gold", bump("", "1"), "2", "gnewr"},
		{"bump: absent accepted, a lease has ended", bumpScript, "a-", bump("", "1"), "1", "gnew"},
		{"bump: a marker", bumpScript, "a+", bump("old", "1"), "3", "a+~"},

		{"renew: absent", renewScript, "", []string{"1000"}, "0", ""},
		{"renew: a marker", renewScript, "a+", []string{"1000"}, "0", "a+"},
		{"renew: a generation", renewScript, "gold", []string{"1000"}, "0", "gold"},
	} {
		key := "ns:{" + strings.ReplaceAll(c.name, " ", "") + "}"
		if c.before != "" {
			if _, err := srv.Do("SET", key, cellText(c.before), "PX", "600000"); err != nil {
				t.Fatal(err)
			}
		}
		replies, err := current.do(ctx, []command{call(c.script, key, c.args...)})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		reply := text(replies[0])
		if n, err := replies[0].AsInt64(); err == nil {
			reply = number(n)
		}
		if got := shorthand(reply); got != c.want {
			t.Errorf("%s: returned %q, want %q", c.name, got, c.want)
		}
		after, err := srv.Do("GET", key)
		if err != nil {
			t.Fatal(err)
		}
		if got := shorthand(after); got != c.after {
			t.Errorf("%s: left %q, want %q", c.name, got, c.after)
		}
		left, err := srv.Do("PTTL", key)
		if err != nil {
			t.Fatal(err)
		}
		if c.after != "" && left == "-1" {
			t.Errorf("%s: the cell never expires", c.name)
		}
	}
}

// 1. as many markers stand in a cell as it can hold
// 2. one more write marks, and the cell is longer than any store writes: it counts as foreign
// 3. the next one takes it for absent; all the other markers are gone before their commits
//
// So the mark of 2 fails, and the others stand.
func TestAFullCellKeepsItsMarkers(t *testing.T) {
	ctx, srv, current := probed(t)
	marker := func(i int) string {
		return "a" + number(int64(i)) + "," + number(time.Now().Add(time.Hour).UnixMilli()) + ",0;"
	}
	full, n := []byte("m"), 0
	for ; len(full) < 1<<20-30; n++ {
		full = append(full, marker(n)...)
	}
	if _, err := srv.Do("SET", "ns:{a}", string(full), "PX", "3600000"); err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		token := strings.Repeat("z", 40) + number(int64(i))
		_, err := current.mark(ctx, store.MarkRequest{Token: token, Cells: []string{"ns:{a}"}, Lease: time.Minute})
		if err == nil || errors.Is(err, store.ErrDown) {
			t.Errorf("mark %d: %v, want an error of a store that serves", i, err)
		}
	}
	reply, err := current.post(ctx, store.PostRequest{Token: "a0", Cells: []store.PostCell{{Key: "ns:{a}", Fresh: "1xnew"}}, CellTTL: time.Hour})
	if err != nil || reply.Outcomes[0] != store.Pending {
		t.Fatalf("%v, %v: %d other writes are in progress", reply, err, n-1)
	}
	if _, err := current.mark(ctx, store.MarkRequest{Token: "z", Cells: []string{"ns:{a}"}, Lease: time.Minute}); err != nil {
		t.Errorf("where one has gone there is room: %v", err)
	}
}

// A cell of markers vanishes with the last of them, whatever the order in which they came.
func TestACellOfMarkersLivesAsLongAsItsLastLease(t *testing.T) {
	ctx, srv, current := probed(t)
	left := func() time.Duration {
		text, err := srv.Do("PTTL", "ns:{c}")
		if err != nil {
			t.Fatal(err)
		}
		d, err := time.ParseDuration(text + "ms")
		if err != nil {
			t.Fatal(err)
		}
		return d.Round(time.Minute)
	}
	for _, c := range []struct {
		script *script
		args   []string
		want   time.Duration
	}{
		{markScript, []string{"a", "3600000"}, time.Hour},
		{markScript, []string{"b", "7200000"}, 2 * time.Hour},
		{markScript, []string{"c", "600000"}, 2 * time.Hour},
		{postScript, []string{"b", "new", "1000"}, time.Hour},
		{postScript, []string{"a", "new", "1000"}, 10 * time.Minute},
		{postScript, []string{"c", "new", "1800000"}, 30 * time.Minute},
	} {
		if _, err := current.do(ctx, []command{call(c.script, "ns:{c}", c.args...)}); err != nil {
			t.Fatal(err)
		}
		if got := left(); got != c.want {
			t.Errorf("after %v: the cell lives %v, want %v", c.args, got, c.want)
		}
	}
}

var (
	short = regexp.MustCompile(`(\w+)([+-])(~?) ?`)
	long  = regexp.MustCompile(`(\w+?),(\d+),([01]);`)
)

// cellText expands the tables' shorthand.
func cellText(text string) string {
	if !short.MatchString(text) {
		return text
	}
	return "m" + short.ReplaceAllStringFunc(text, func(m string) string {
		parts := short.FindStringSubmatch(m)
		expiry, met := "1", "0"
		if parts[2] == "+" {
			expiry = number(time.Now().Add(time.Minute).UnixMilli())
		}
		if parts[3] == "~" {
			met = "1"
		}
		return parts[1] + "," + expiry + "," + met + ";"
	})
}

func shorthand(text string) string {
	if !strings.HasPrefix(text, "m") || !strings.HasSuffix(text, ";") {
		return text
	}
	return strings.TrimSuffix(long.ReplaceAllStringFunc(text[1:], func(m string) string {
		parts := long.FindStringSubmatch(m)
		out := parts[1] + "-"
		if len(parts[2]) > 1 {
			out = parts[1] + "+"
		}
		if parts[3] == "1" {
			out += "~"
		}
		return out + " "
	}), " ")
}
