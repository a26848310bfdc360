package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// progress shows what is going on: one line that changes on a terminal, a line for each step
// elsewhere.
type progress struct {
	w        io.Writer
	terminal bool
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w}
	if file, ok := w.(*os.File); ok {
		if info, err := file.Stat(); err == nil {
			p.terminal = info.Mode()&os.ModeCharDevice != 0
		}
	}
	return p
}

// say shows one line.
func (p *progress) say(name, format string, args ...any) {
	fmt.Fprintf(p.w, "%-28s %s\n", name, fmt.Sprintf(format, args...))
}

// follow shows the sum of the counters as they grow, until the returned function is called.
func (p *progress) follow(name string, duration time.Duration, counters []atomic.Int64) (stop func()) {
	start, end := time.Now(), make(chan struct{})
	line := func() string {
		var sum int64
		for i := range counters {
			sum += counters[i].Load()
		}
		const width = 30
		full := min(width, int(width*time.Since(start)/duration))
		return fmt.Sprintf("%-28s [%s%s] %s operations", name,
			strings.Repeat("#", full), strings.Repeat(".", width-full), thousands(sum))
	}
	if !p.terminal {
		p.say(name, "for %v", duration)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		tick := time.NewTicker(200 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				if p.terminal {
					fmt.Fprint(p.w, "\r", line())
				}
			case <-end:
				if p.terminal {
					fmt.Fprint(p.w, "\r")
				}
				fmt.Fprintln(p.w, line())
				return
			}
		}
	})
	return func() {
		close(end)
		wg.Wait()
	}
}
