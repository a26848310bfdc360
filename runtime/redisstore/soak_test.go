package redisstore_test

import (
	"bytes"
	"context"
	"flag"
	"log/slog"
	"math/rand/v2"
	"runtime"
	"runtime/pprof"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// go test -run Soak -soak 30m -timeout 40m ./runtime/redisstore
var soak = flag.Duration("soak", time.Second, "how long each TestSoak runs")

// TestSoak reads, writes, and loses its store now and then; meanwhile memory stays as it is, and
// after Close no goroutine is left.
func TestSoak(t *testing.T) {
	srv := testserver.Redis(t)
	for _, kind := range []struct {
		name  string
		open  func(*testing.T) store.Store
		fault func()
	}{
		{"memory", func(*testing.T) store.Store {
			return memstore.New(memstore.Options{MaxEntries: 2_000, MaxCells: 10_000})
		}, func() {}},
		{"redis", func(t *testing.T) store.Store { return unprobed(t, srv.Addr) }, func() {
			_, _ = srv.Do("CLIENT", "KILL", "TYPE", "normal")
			_, _ = srv.Do("FLUSHALL")
		}},
	} {
		t.Run(kind.name, func(t *testing.T) {
			before := runtime.NumGoroutine()
			s := newSoak(t, kind.open(t))
			heap := s.run(t, *soak, kind.fault)
			if err := s.cache.Close(); err != nil {
				t.Error(err)
			}
			wantGoroutines(t, before)
			wantFlat(t, heap)
			if m := s.cache.Stats().Methods[0]; m.Hits() == 0 || m.Loads == 0 {
				t.Errorf("%+v: nothing happened", m)
			}
		})
	}
}

type soaking struct {
	cache  *cachert.Cache
	reader *cachert.Reader[int64]
	writer *cachert.Writer
}

func newSoak(t *testing.T, s store.Store) *soaking {
	t.Helper()
	cache, err := cachert.Open(cachert.Options{
		Namespace: "soak", Store: s, StoreTimeout: time.Second, Lease: time.Second, NearEntries: 1_000, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	repo := cache.Repo(cachert.RepoPolicy{Name: "books"})
	return &soaking{
		cache:  cache,
		reader: cachert.NewReader(repo, cachert.ReadPolicy[int64]{Method: "ByID", Key: "ByID", Schema: "s", TTL: 5 * time.Second, Codec: numbers}),
		writer: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Update"}),
	}
}

// run works at a steady pace and returns what was in use on the heap, at even distances.
func (s *soaking) run(t *testing.T, d time.Duration, fault func()) (heap []uint64) {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	defer cancel()
	pace := time.NewTicker(time.Millisecond)
	defer pace.Stop()
	sample := time.NewTicker(max(d/40, 50*time.Millisecond))
	defer sample.Stop()
	faults := time.NewTicker(max(d/60, 300*time.Millisecond))
	defer faults.Stop()
	for {
		select {
		case <-pace.C:
			for range 4 {
				s.step(t)
			}
		case <-sample.C:
			runtime.GC()
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			heap = append(heap, m.HeapAlloc)
		case <-faults.C:
			fault()
		case <-ctx.Done():
			return heap
		}
	}
}

func (s *soaking) step(t *testing.T) {
	ctx, id := t.Context(), rand.Int64N(5_000)
	if rand.IntN(2) == 0 {
		id %= 50 // some are hot
	}
	tags := func(t *cachert.Tags) { t.Tag("books/book").Int(id) }
	call := cachert.Call[int64]{Key: cachert.NewArgs().Int(id), Tags: tags}
	switch rand.IntN(20) {
	case 0:
		err := s.writer.Do(ctx, cachert.Change{
			Tags: tags, Run: func(context.Context) error { return nil },
			Put: func(p *cachert.Puts) { s.reader.Put(p, call, id) },
		})
		if err != nil {
			t.Errorf("write: %v", err)
		}
	case 1: // of unknown outcome
		_ = s.writer.Do(ctx, cachert.Change{Tags: tags, Run: func(context.Context) error { return context.DeadlineExceeded }})
	default:
		if v, err := s.reader.Get(ctx, call, func(context.Context) (int64, error) { return id, nil }); err != nil || v != id {
			t.Errorf("read %d, %v; want %d", v, err, id)
		}
	}
}

// wantGoroutines waits until no more than these are left.
func wantGoroutines(t *testing.T, most int) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	for tick := time.NewTicker(10 * time.Millisecond); runtime.NumGoroutine() > most; {
		select {
		case <-tick.C:
		case <-deadline:
			var b bytes.Buffer
			_ = pprof.Lookup("goroutine").WriteTo(&b, 1)
			t.Fatalf("%d goroutines are left, %d were there before:\n%s", runtime.NumGoroutine(), most, b.String())
		}
	}
}

// wantFlat compares the second quarter, when all that is bounded is full, with the last. A run of
// seconds says nothing about that.
func wantFlat(t *testing.T, heap []uint64) {
	t.Helper()
	if len(heap) < 20 || *soak < time.Minute {
		return
	}
	quarter := func(from int) (mean uint64) {
		for _, h := range heap[from : from+len(heap)/4] {
			mean += h / uint64(len(heap)/4)
		}
		return mean
	}
	early, late := quarter(len(heap)/4), quarter(len(heap)-len(heap)/4)
	t.Logf("heap in use: %d KiB early, %d KiB late", early>>10, late>>10)
	if late > early+early/10+1<<20 {
		t.Errorf("the heap in use grew from %d to %d KiB", early>>10, late>>10)
	}
}
