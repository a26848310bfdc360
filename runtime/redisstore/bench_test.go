package redisstore_test

import (
	"context"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// bench opens a store and reports, besides what Go measures, the commands that the server
// was sent in each operation.
func bench(b *testing.B, op func(s *redisstore.Store, ctx context.Context, id string) error) {
	srv := testserver.Redis(b)
	s, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{srv.Addr}}, redisstore.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Probe(b.Context()); err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(b.Context(), time.Hour)
	defer cancel()
	if err := op(s, ctx, "warm"); err != nil { // scripts become known
		b.Fatal(err)
	}
	var ids atomic.Int64
	before := processed(b, srv)
	b.ReportAllocs()
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if err := op(s, ctx, strconv.FormatInt(ids.Add(1), 36)); err != nil {
				b.Error(err)
				return
			}
		}
	})
	b.StopTimer()
	b.ReportMetric(float64(processed(b, srv)-before)/float64(b.N), "commands/op")
}

func processed(b *testing.B, srv *testserver.RedisServer) int64 {
	b.Helper()
	info, err := srv.Do("INFO", "stats")
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(info, "total_commands_processed:")
	line, _, _ := strings.Cut(rest, "\r\n")
	n, err := strconv.ParseInt(line, 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return n
}

func fresh() store.Generation { return "1.ADY5ECZD5O.0000001d" }

// A miss of the near cache, but for its load: the namespace's and repository's cells are
// known, the tag's is not.
func BenchmarkReadNear(b *testing.B) {
	bench(b, func(s *redisstore.Store, ctx context.Context, id string) error {
		_, err := s.Read(ctx, store.ReadRequest{
			Entry: "ns:{books/book:" + id + "}:e", Cells: []string{"ns:{*}", "ns:{books/*}", "ns:{books/book:" + id + "}"},
			Near: true, Fresh: fresh, CellTTL: time.Hour,
		})
		return err
	})
}

// The same when the tag's cell is known, too.
func BenchmarkReadNearKnown(b *testing.B) {
	bench(b, func(s *redisstore.Store, ctx context.Context, id string) error {
		_, err := s.Read(ctx, store.ReadRequest{
			Entry: "ns:{books/book:" + id + "}:e", Cells: []string{"ns:{*}", "ns:{books/*}", "ns:{books/book:1}"},
			Near: true, Fresh: fresh, CellTTL: time.Hour,
		})
		return err
	})
}

func BenchmarkFill(b *testing.B) {
	value := make([]byte, 300)
	bench(b, func(s *redisstore.Store, ctx context.Context, id string) error {
		return s.Fill(ctx, store.FillRequest{Entry: store.Entry{Key: "ns:{books/book:" + id + "}:e", Value: value, TTL: time.Hour}, CellTTL: time.Hour})
	})
}

// A write over two tags, but for the write itself.
func BenchmarkMarkAndPost(b *testing.B) {
	value := make([]byte, 300)
	bench(b, func(s *redisstore.Store, ctx context.Context, id string) error {
		one, two := "ns:{books/book:"+id+"}", "ns:{books/author:"+id+"}"
		_, err := s.Mark(ctx, store.MarkRequest{
			Token: "t" + id, Cells: []string{one, two}, Lease: 10 * time.Second,
			Observe: []string{"ns:{*}", "ns:{books/*}"}, Fresh: fresh, CellTTL: time.Hour,
		})
		if err != nil {
			return err
		}
		_, err = s.Post(ctx, store.PostRequest{
			Token: "t" + id, CellTTL: time.Hour,
			Cells:   []store.PostCell{{Key: one, Fresh: "a"}, {Key: two, Fresh: "b"}},
			Entries: []store.Entry{{Key: one + ":e", Value: value, TTL: time.Hour}},
		})
		return err
	})
}
