package cachert

import (
	"context"
	"log/slog"
	"testing"
)

// What a closed cache owes its store is never delivered, and Drain says so.
func TestDrainOfAClosedCacheSaysWhatIsOwed(t *testing.T) {
	s := newShop(t, nil)
	ctx := context.Background()
	if err := s.cache.Close(); err != nil {
		t.Fatal(err)
	}
	if err := s.cache.Drain(ctx); err != nil {
		t.Errorf("Drain with nothing owed: %v", err)
	}
	if _, err := s.bump(ctx, 1, nil); err != nil {
		t.Fatal(err)
	}
	if err := s.cache.Drain(ctx); err == nil {
		t.Error("Drain after a write that could not be told: no error")
	}
}

// asking is a log handler that asks for the Stats of the cache that logs.
type asking struct {
	slog.Handler
	cache *Cache
	asked chan string
}

func (a *asking) Enabled(context.Context, slog.Level) bool { return true }

func (a *asking) Handle(_ context.Context, r slog.Record) error {
	_ = a.cache.Stats()
	a.asked <- r.Message
	return nil
}

func TestALogHandlerMayAskForStats(t *testing.T) {
	handler := &asking{Handler: slog.DiscardHandler, asked: make(chan string, 10)}
	s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) { o.Logger = slog.New(handler) })
	handler.cache = s.cache
	s.cache.gate.close(context.DeadlineExceeded)
	for _, want := range []string{"cachegen: store lost, reading from the source", "cachegen: store trusted again"} {
		if got := <-handler.asked; got != want {
			t.Errorf("logged %q, want %q", got, want)
		}
	}
}
