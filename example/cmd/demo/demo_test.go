package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"

	"github.com/cachegen/cachegen/example/loadgen"
	"github.com/cachegen/cachegen/internal/testserver"
)

func TestDemo(t *testing.T) {
	program, err := build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	postgres := testserver.Postgres(t)
	for name, flags := range map[string][]string{
		"memstore": nil,
		"redis":    {"-redis"},
		"http":     {"-http", "-redis"},
		"postgres": {"-db=" + postgres.DSN},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr bytes.Buffer
			args := append(flags, "-bookshop="+program, "-books=300", "-warmup=200ms", "-duration=500ms", "-callers=4")
			if code := run(t.Context(), args, &stdout, &stderr); code != 0 {
				t.Fatalf("the demo ended with %d:\n%s", code, &stderr)
			}
			for _, row := range []string{"operations per second", "queries reaching the database", "hit ratio", "stale reads seen"} {
				if !strings.Contains(stdout.String(), row) {
					t.Errorf("the table has no row %q:\n%s", row, &stdout)
				}
			}
		})
	}
}

// Whatever it has started must have ended when it returns; start and stop report the rest.
func TestDemoEndsEarly(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	var stdout bytes.Buffer
	stderr := &cancelOn{text: "warming up", cancel: cancel}
	began := time.Now()
	code := run(ctx, []string{"-books=300", "-warmup=1m"}, &stdout, stderr)
	if code == 0 || stdout.Len() > 0 {
		t.Errorf("an interrupted demo ended with %d and printed:\n%s", code, &stdout)
	}
	if took := time.Since(began); took > 50*time.Second {
		t.Errorf("it went on for %v", took)
	}
}

// cancelOn is a terminal at which somebody presses Ctrl-C when a text appears.
type cancelOn struct {
	text   string
	cancel func()
}

func (c *cancelOn) Write(b []byte) (int, error) {
	if bytes.Contains(b, []byte(c.text)) {
		c.cancel()
	}
	return len(b), nil
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-unknown"}, {"surplus"}} {
		if code := run(t.Context(), args, &bytes.Buffer{}, &bytes.Buffer{}); code != 2 {
			t.Errorf("demo %v ended with %d, want 2", args, code)
		}
	}
}

func TestTable(t *testing.T) {
	h := hdrhistogram.New(1, int64(time.Minute), 3)
	for range 99 {
		_ = h.RecordValue(40_000)
	}
	_ = h.RecordValue(2_000_000)
	without := measured{result: &loadgen.Result{Reads: h, Updates: h, Elapsed: time.Second}, queries: 1_234_567}
	with := without
	with.hits, with.misses = 3, 1
	with.result = &loadgen.Result{Reads: h, Updates: h, Elapsed: time.Second, StaleOwn: 1, StaleSettled: 2}
	var out strings.Builder
	printTable(&out, options{books: 100_000, callers: 8, redis: true}, without, with)
	for _, want := range []string{"1,234,567", "40 µs / 40 µs", "75.0 %", "100,000 books", "redis-server", "2 processes"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the table lacks %q", want)
		}
	}
	for line := range strings.Lines(out.String()) {
		if strings.Contains(line, "stale reads seen") && !strings.HasSuffix(line, "0                  3\n") {
			t.Errorf("3 stale reads are shown as %q", line)
		}
	}
}
