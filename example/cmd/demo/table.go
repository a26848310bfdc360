package main

import (
	"fmt"
	"io"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// printTable writes the table and what its numbers mean.
func printTable(w io.Writer, o options, without, with measured) {
	row := func(name string, value func(m measured) string) {
		fmt.Fprintf(w, "  %-34s %18s %18s\n", name, value(without), value(with))
	}
	fmt.Fprintf(w, "\n  %-34s %18s %18s\n", "", "without cache", "with cache")
	fmt.Fprintf(w, "  %s\n", strings.Repeat("-", 72))
	row("operations per second", func(m measured) string { return thousands(int64(m.rate())) })
	row("read, p50 / p99", func(m measured) string { return quantiles(m.result.Reads) })
	row("update, p50 / p99", func(m measured) string { return quantiles(m.result.Updates) })
	row("queries reaching the database", func(m measured) string { return thousands(m.queries) })
	row("  per 1,000 operations", func(m measured) string {
		return fmt.Sprintf("%.0f", 1000*float64(m.queries)/float64(m.result.Operations()))
	})
	row("hit ratio of reads", func(m measured) string {
		if m.hits+m.misses == 0 {
			return "-"
		}
		return fmt.Sprintf("%.1f %%", 100*float64(m.hits)/float64(m.hits+m.misses))
	})
	row("stale reads seen", func(m measured) string { return thousands(m.result.StaleOwn + m.result.StaleSettled) })
	fmt.Fprint(w, "\n", caption(o))
}

func (m measured) rate() float64 { return float64(m.result.Operations()) / m.result.Elapsed.Seconds() }

func caption(o options) string {
	where, cache, database := "calls of BookRepo inside the process, without HTTP", "in the process", "SQLite, a local file"
	processes := "1 process"
	if o.processes() > 1 {
		processes = fmt.Sprintf("%d processes", o.processes())
	}
	if o.http {
		where = "HTTP requests over loopback, JSON included"
	}
	if o.redis {
		cache = "on one redis-server, and near each process"
	}
	if strings.HasPrefix(o.db, "postgres://") {
		database = "PostgreSQL"
	}
	return fmt.Sprintf(`  Load: YCSB B, %s books, 95 %% reads by id and 5 %% updates, Zipf 0.99; %s, %d callers
  that call again as soon as they have their answer; %v after %v of warm-up.
  Measured: %s.
  Database: %s. Cache: %s.
  Stale: a read that started after an update of the same book was acknowledged in its own process,
  or %v after one was acknowledged in any process, and returned an older version.
  Machine: %d CPUs, %s/%s, %s.
`, thousands(int64(o.books)), processes, o.callers, o.duration, o.warmup,
		where, database, cache, settledAfter,
		runtime.NumCPU(), runtime.GOOS, runtime.GOARCH, runtime.Version())
}

func quantiles(h *hdrhistogram.Histogram) string {
	return short(h.ValueAtQuantile(50)) + " / " + short(h.ValueAtQuantile(99))
}

// short writes nanoseconds with three digits.
func short(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d < 10*time.Microsecond:
		return fmt.Sprintf("%.1f µs", float64(d)/1e3)
	case d < time.Millisecond:
		return fmt.Sprintf("%.0f µs", float64(d)/1e3)
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/1e6)
	}
	return fmt.Sprintf("%.0f ms", float64(d)/1e6)
}

// thousands writes 1234567 as 1,234,567.
func thousands(n int64) string {
	text := strconv.FormatInt(n, 10)
	for at := len(text) - 3; at > 0; at -= 3 {
		text = text[:at] + "," + text[at:]
	}
	return text
}
