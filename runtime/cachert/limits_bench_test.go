package cachert

import (
	"context"
	"io"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A hit in the store: no near cache, the store answers from memory, entries of the given size.
func BenchmarkStoreHit(b *testing.B) {
	for _, size := range []struct {
		name  string
		bytes int
	}{{"100B", 100}, {"4KB", 4 << 10}, {"64KB", 64 << 10}} {
		b.Run(size.name, func(b *testing.B) {
			cache, err := Open(Options{Namespace: "bench", NearEntries: -1, Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
			if err != nil {
				b.Fatal(err)
			}
			b.Cleanup(func() { _ = cache.Close() })
			repo := cache.Repo(RepoPolicy{Name: "books"})
			reader := NewReader(repo, ReadPolicy[*book]{Method: "ByID", Key: "ByID", Schema: "s1", TTL: time.Hour, Codec: bookCodec})
			ctx := context.Background()
			load := func(context.Context) (*book, error) {
				return &book{ID: 1, Tags: []string{strings.Repeat("x", size.bytes)}}, nil
			}
			if _, err := reader.Get(ctx, benchCall(1), load); err != nil {
				b.Fatal(err)
			}
			if err := cache.Drain(ctx); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := reader.Get(ctx, benchCall(1), load); err != nil {
					b.Fatal(err)
				}
			}
			if hits := cache.Stats().Methods[0].StoreHits; hits < uint64(b.N) {
				b.Fatalf("%d hits of %d reads", hits, b.N)
			}
		})
	}
}

// What a hit pays for knowing that the entry is as it was stored.
func BenchmarkChecksum(b *testing.B) {
	key, body := "bench:{books/book:1}:books.ByID:5d41402abc4b2a76:1", make([]byte, 64<<10)
	for _, size := range []int{100, 4 << 10, 64 << 10} {
		b.Run(strconv.Itoa(size), func(b *testing.B) {
			b.SetBytes(int64(size))
			for b.Loop() {
				checksum(key, body[:size])
			}
		})
	}
}
