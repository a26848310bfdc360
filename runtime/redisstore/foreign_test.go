package redisstore

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/store"
)

// hostile are commands that put under a key what no store of this kind writes.
func hostile(key string) map[string][]string {
	ahead := func(d time.Duration) string { return number(time.Now().Add(d).UnixMilli()) }
	return map[string][]string{
		"a list":                       {"RPUSH", key, "g1"},
		"a hash":                       {"HSET", key, "g", "1"},
		"a stream":                     {"XADD", key, "*", "g", "1"},
		"garbage":                      {"SET", key, "\x00\xff%s{}\r\n"},
		"one byte":                     {"SET", key, "g"},
		"no bytes":                     {"SET", key, ""},
		"a long generation":            {"SET", key, "g" + strings.Repeat("x", 1000)},
		"a marker's letter alone":      {"SET", key, "m"},
		"bad delimiters":               {"SET", key, "ma;" + ahead(time.Minute) + ";0,"},
		"a token with odd bytes":       {"SET", key, "ma\xff," + ahead(time.Minute) + ",0;"},
		"a marker that never ends":     {"SET", key, "ma,99999999999999,0;"},
		"an expiry beyond all numbers": {"SET", key, "ma," + strings.Repeat("9", 400) + ",0;"},
		"a marker kept after its end":  {"SET", key, "ma,1,0;"},
		"2 MiB of garbage":             {"SET", key, strings.Repeat("x", 2<<20)},
		"a million markers":            {"SET", key, "m" + strings.Repeat("a,"+ahead(time.Minute)+",0;", 1_000_000)},
	}
}

// Whatever stands under the key of a cell: readers take it for absent and replace it, or a
// write does, and the cell works from then on. Nothing of it ends the session.
func TestHostileCells(t *testing.T) {
	ctx, srv, current := probed(t)
	fresh, n := "", 0
	request := func(key string, near bool) store.ReadRequest {
		return store.ReadRequest{
			Cells: []string{key}, Near: near, CellTTL: time.Hour,
			Fresh: func() store.Generation { n++; fresh = fmt.Sprintf("1xfresh%d", n); return store.Generation(fresh) },
		}
	}
	for name := range hostile("") {
		i := 0
		plant := func() string {
			i++
			key := fmt.Sprintf("ns:{%s %d}", strings.ReplaceAll(name, " ", ""), i)
			if _, err := srv.Do(hostile(key)[name]...); err != nil {
				t.Fatal(err)
			}
			return key
		}
		for _, near := range []bool{true, false} {
			key := plant()
			r, err := current.read(ctx, request(key, near))
			if name == "a million markers" { // as good as a write in progress, until its lease ends
				if err != nil || !r.Cells[0].Marked {
					t.Errorf("%s: near %v read %+v, %v", name, near, r, err)
				}
				continue
			}
			if err != nil || string(r.Cells[0].Generation) != fresh {
				t.Errorf("%s: near %v read %+v, %v; want %s", name, near, r, err, fresh)
			}
			uncounted := name == "no bytes" || strings.HasPrefix(name, "a marker that") || strings.HasPrefix(name, "a marker kept")
			if (r.Foreign == 1) == uncounted {
				t.Errorf("%s: near %v: %d foreign", name, near, r.Foreign)
			}
			if got, err := srv.Do("GET", key); got != "g"+fresh || err != nil {
				t.Errorf("%s: near %v left %.100q, %v", name, near, got, err)
			}
		}
		key := plant() // mark, and post
		if _, err := current.mark(ctx, store.MarkRequest{Token: "w", Cells: []string{key}, Lease: time.Minute}); err != nil {
			t.Errorf("%s: mark: %v", name, err)
		}
		if r, err := current.read(ctx, request(key, true)); err != nil || !r.Cells[0].Marked || r.Foreign != 0 {
			t.Errorf("%s: after a mark: %+v, %v", name, r, err)
		}
		r, err := current.post(ctx, store.PostRequest{Token: "w", Cells: []store.PostCell{{Key: key, Fresh: "2x"}}, CellTTL: time.Hour})
		if err != nil || r.Outcomes[0] != store.Taken {
			t.Errorf("%s: post: %+v, %v", name, r, err)
		}
		key = plant() // post alone
		r, err = current.post(ctx, store.PostRequest{Token: "w", Cells: []store.PostCell{{Key: key, Fresh: "2x"}}, CellTTL: time.Hour})
		if err != nil || r.Outcomes[0] != store.Lost {
			t.Errorf("%s: post without a mark: %+v, %v", name, r, err)
		}
		key = plant() // bump; a generation of any length is one to a bump, which replaces it
		r, err = current.post(ctx, store.PostRequest{Bumps: []store.BumpCell{{Key: key, Known: "1", Fresh: "2x"}}, CellTTL: time.Hour})
		if err != nil || r.Outcomes[0] != store.Replaced {
			t.Errorf("%s: bump: %+v, %v", name, r, err)
		}
		key = plant() // renewed together with a fill
		err = current.fill(ctx, store.FillRequest{Entry: store.Entry{Key: key + ":e", Value: []byte("v"), TTL: time.Hour}, Renew: []string{key}, CellTTL: time.Hour})
		if err != nil {
			t.Errorf("%s: renew: %v", name, err)
		}
	}
	if current.ended.Load() {
		t.Error("the session has ended")
	}
}

// Whatever stands under the key of an entry: it is no entry, it is counted, and the next fill
// replaces it.
func TestHostileEntries(t *testing.T) {
	ctx, srv, current := probed(t)
	for name, plant := range hostile("ns:{e}:entry") {
		const key, cell = "ns:{e}:entry", "ns:{e}"
		for _, near := range []bool{true, false} {
			if _, err := srv.Do("DEL", key); err != nil {
				t.Fatal(err)
			}
			if _, err := srv.Do(plant...); err != nil {
				t.Fatal(err)
			}
			ask := store.ReadRequest{
				Entry: key, MaxEntry: 1 << 20, Cells: []string{cell}, Near: near, CellTTL: time.Hour,
				Fresh: func() store.Generation { return "1x" },
			}
			r, err := current.read(ctx, ask)
			foreign := plant[0] != "SET" || len(plant[2]) > 1<<20
			if err != nil || (r.Foreign == 1) != foreign || (r.Entry == nil) != (foreign || plant[2] == "") || r.Cells[0].Generation == "" {
				t.Errorf("%s: near %v: %d bytes, %d foreign, %+v, %v", name, near, len(r.Entry), r.Foreign, r.Cells, err)
			}
			err = current.fill(ctx, store.FillRequest{Entry: store.Entry{Key: key, Value: []byte("value"), TTL: time.Hour}, CellTTL: time.Hour})
			if err != nil {
				t.Errorf("%s: fill: %v", name, err)
			}
			if r, err := current.read(ctx, ask); err != nil || string(r.Entry) != "value" || r.Foreign != 0 {
				t.Errorf("%s: after a fill: %q, %v", name, r.Entry, err)
			}
		}
	}
}

// However much stands under the keys of a read, little of it is held in memory.
func TestReadsOfHugeValuesTakeLittleMemory(t *testing.T) {
	srv := testserver.Redis(t)
	s, err := New(rueidis.ClientOption{InitAddress: []string{srv.Addr}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if _, err := s.Probe(ctx); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"ns:{big}", "ns:{big}:entry"} {
		if _, err := srv.Do("SETRANGE", key, "100000000", "x"); err != nil { // 100 MB, made by the server
			t.Fatal(err)
		}
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for _, near := range []bool{true, false} {
		_, err := s.Read(ctx, store.ReadRequest{
			Entry: "ns:{big}:entry", MaxEntry: 64 << 10, Cells: []string{"ns:{big}"}, Near: near, CellTTL: time.Hour,
			Fresh: func() store.Generation { return "1x" },
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > 4<<20 {
		t.Errorf("%d bytes allocated for reads of at most 64 KiB", got)
	}
}
