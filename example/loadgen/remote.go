package loadgen

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync/atomic"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// Order asks a process to drive its own repositories.
type Order struct {
	Config
	Ledger string        `json:"ledger"` // file of the ledger that the processes share
	Bound  time.Duration `json:"bound"`  // of the ledger
}

// Stats is what a process has counted since it started.
type Stats struct {
	Queries int64          `json:"queries"` // statements sent to the database
	Cache   *cachert.Stats `json:"cache"`   // nil: there is none
}

// message is one line from the process that runs a load to the one that ordered it.
type message struct {
	Operations int64   `json:"operations"`
	Result     *Result `json:"result,omitempty"` // in the last line
	Error      string  `json:"error,omitempty"`  // in the last line
}

const progressEvery = 200 * time.Millisecond

// Serve runs a load and writes its progress and its end to w.
func Serve(ctx context.Context, w http.ResponseWriter, c Config, shop Shop, ledger *Ledger) {
	lines, flush := json.NewEncoder(w), http.NewResponseController(w).Flush
	send := func(m message) { // errors: nobody listens any more, and ctx ends
		_ = lines.Encode(m)
		_ = flush()
	}
	var ops atomic.Int64
	last := make(chan message, 1)
	go func() {
		result, err := Run(ctx, c, shop, ledger, &ops)
		if err != nil {
			last <- message{Error: err.Error()}
			return
		}
		last <- message{Operations: ops.Load(), Result: result}
	}()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			send(message{Operations: ops.Load()})
		case m := <-last:
			send(m)
			return
		}
	}
}

// Drive gives an order to the process at base and keeps ops at what has been done so far.
func Drive(ctx context.Context, base string, order Order, ops *atomic.Int64) (*Result, error) {
	text, err := json.Marshal(order)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, base+"/debug/load", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		text, _ := io.ReadAll(response.Body)
		return nil, fmt.Errorf("loadgen: %s: %s", response.Status, bytes.TrimSpace(text))
	}
	for lines := json.NewDecoder(response.Body); ; {
		var m message
		if err := lines.Decode(&m); err != nil {
			return nil, fmt.Errorf("loadgen: the process at %s broke off: %w", base, err)
		}
		if m.Error != "" {
			return nil, errors.New(m.Error)
		}
		ops.Store(m.Operations)
		if m.Result != nil {
			return m.Result, nil
		}
	}
}

// ReadStats asks the process at base what it has counted.
func ReadStats(ctx context.Context, base string) (s Stats, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, base+"/debug/stats", nil)
	if err != nil {
		return s, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return s, err
	}
	defer response.Body.Close()
	return s, json.NewDecoder(response.Body).Decode(&s)
}
