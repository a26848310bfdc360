package cachert

import (
	"context"
	"io"
	"log/slog"
	"testing"
	"time"
)

// benchShop is a cache over memory with one reader and one writer of books.
func benchShop(b *testing.B) (*Reader[*book], *Writer) {
	b.Helper()
	cache, err := Open(Options{Namespace: "bench", Logger: slog.New(slog.NewTextHandler(io.Discard, nil))})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = cache.Close() })
	repo := cache.Repo(RepoPolicy{Name: "books"})
	return NewReader(repo, ReadPolicy[*book]{Method: "ByID", Key: "ByID", Schema: "s1", TTL: time.Hour, Codec: bookCodec}),
		NewWriter(repo, WritePolicy{Method: "Update"})
}

func benchCall(id int64) Call[*book] {
	return Call[*book]{Key: NewArgs().Int(id), Tags: func(t *Tags) { t.Tag("books/book").Int(id) }}
}

func benchLoad(id int64) func(context.Context) (*book, error) {
	return func(context.Context) (*book, error) { return &book{ID: id, Version: 1, Tags: []string{"a"}}, nil }
}

func BenchmarkNearHit(b *testing.B) {
	reader, _ := benchShop(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reader.Get(ctx, benchCall(1), benchLoad(1)); err != nil {
			b.Fatal(err)
		}
	}
}

// A miss and its load from nowhere; the store answers from memory.
func BenchmarkMiss(b *testing.B) {
	reader, _ := benchShop(b)
	ctx, id := context.Background(), int64(0)
	b.ReportAllocs()
	for b.Loop() {
		id++
		if _, err := reader.Get(ctx, benchCall(id), benchLoad(id)); err != nil {
			b.Fatal(err)
		}
	}
}

// A marked write of nothing that writes one entry through.
func BenchmarkMarkedWrite(b *testing.B) {
	reader, writer := benchShop(b)
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		err := writer.Do(ctx, Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(1) },
			Run:  func(context.Context) error { return nil },
			Put:  func(p *Puts) { reader.Put(p, benchCall(1), &book{ID: 1}) },
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}

// A near hit in a session that has something noted about other things.
func BenchmarkNearHitInASession(b *testing.B) {
	reader, writer := benchShop(b)
	session := reader.repo.cache.NewSession("")
	ctx := WithSession(context.Background(), session)
	for id := range int64(8) {
		err := writer.Do(ctx, Change{
			Tags: func(t *Tags) { t.Tag("books/book").Int(100 + id) },
			Run:  func(context.Context) error { return nil },
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := reader.Get(ctx, benchCall(1), benchLoad(1)); err != nil {
			b.Fatal(err)
		}
	}
}

// What a web server does once a request: read a token, and write it.
func BenchmarkToken(b *testing.B) {
	reader, _ := benchShop(b)
	cache := reader.repo.cache
	session := cache.NewSession("")
	for id := range int64(8) {
		session.wrote(cache, cache.keys.repoCell(string(rune('a'+id))), "g", cache.now())
	}
	token := session.Token()
	b.ReportMetric(float64(len(token)), "bytes")
	b.ReportAllocs()
	for b.Loop() {
		if cache.NewSession(token).Token() != token {
			b.Fatal("another token")
		}
	}
}
