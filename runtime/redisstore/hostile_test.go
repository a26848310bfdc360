package redisstore_test

import (
	"context"
	"encoding/binary"
	"errors"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
)

var numbers = cachert.Codec[int64]{
	Append: func(b []byte, v int64) ([]byte, error) { return binary.AppendVarint(b, v), nil },
	Decode: func(b []byte) (int64, error) {
		v, n := binary.Varint(b)
		if n != len(b) {
			return 0, errors.New("not a number")
		}
		return v, nil
	},
}

// A whole cache over a server in which somebody has overwritten every one of its keys: reads and
// writes go on, the store stays trusted, all is counted, and afterwards all is cached again.
func TestACacheAmongHostileValues(t *testing.T) {
	srv := testserver.Redis(t)
	cache, err := cachert.Open(cachert.Options{
		Namespace: "ns", Store: open(t, srv.Addr), StoreTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	repo, version, ctx := cache.Repo(cachert.RepoPolicy{Name: "books"}), int64(1), t.Context()
	reader := cachert.NewReader(repo, cachert.ReadPolicy[int64]{Method: "ByID", Key: "ByID", Schema: "s", TTL: time.Hour, Codec: numbers})
	writer := cachert.NewWriter(repo, cachert.WritePolicy{Method: "Update"})
	tag := func(t *cachert.Tags) { t.Tag("books/book").Int(1) }
	call := cachert.Call[int64]{Key: cachert.NewArgs().Int(1), Tags: tag}
	get := func() {
		t.Helper()
		v, err := reader.Get(ctx, call, func(context.Context) (int64, error) { return version, nil })
		if err != nil || v != version {
			t.Errorf("read %d, %v; want %d", v, err, version)
		}
		if err := cache.Drain(ctx); err != nil {
			t.Fatal(err)
		}
	}
	get()
	listed, err := srv.Do("KEYS", "ns:*")
	if err != nil {
		t.Fatal(err)
	}
	keys := strings.Split(listed, "\n")
	if len(keys) != 4 {
		t.Fatalf("keys %q, want one entry and three cells", keys)
	}
	for _, value := range [][]string{{"HSET", "", "a", "b"}, {"RPUSH", "", "a"}, {"SET", "", "\xff"}, {"SET", "", strings.Repeat("z", 2<<20)}} {
		for _, key := range keys {
			must(t, srv, "DEL", key)
			value[1] = key
			must(t, srv, value...)
		}
		foreign := cache.Stats().Methods[0].Foreign
		get()
		get()
		if now := cache.Stats().Methods[0].Foreign; now == foreign {
			t.Errorf("%.20q: nothing is counted", value)
		}
		for _, key := range keys {
			value[1] = key
			must(t, srv, "DEL", key)
			must(t, srv, value...)
		}
		err := writer.Do(ctx, cachert.Change{Tags: tag, Run: func(context.Context) error { version++; return nil }})
		if err != nil {
			t.Error(err)
		}
		get()
		hits := cache.Stats().Methods[0].Hits()
		get()
		if cache.Stats().Methods[0].Hits() != hits+1 {
			t.Errorf("%.20q: not cached again", value)
		}
	}
	if s := cache.Stats(); !s.Open || s.Outages != 0 || s.Journal != 0 || s.Methods[0].StoreErrors+s.Methods[1].StoreErrors != 0 {
		t.Errorf("%+v: hostile values must not look like an outage", s)
	}
}
