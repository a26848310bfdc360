package cachert

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// finding is a store about which something is to be known.
type finding struct {
	*flaky
	found atomic.Pointer[[]store.Finding]
}

func (f *finding) Findings() []store.Finding { return *f.found.Load() }

var evicts = []store.Finding{{Code: "eviction", Degraded: true, Unsafe: true, Text: "it evicts; set noeviction"}}

// unsafeShop is a shop at level whose store is found to be unsafe, and what is logged.
func unsafeShop(t *testing.T, level Level, change func(*Options, *WritePolicy)) (*shop, *finding, *bytes.Buffer) {
	t.Helper()
	st := &finding{flaky: &flaky{Store: memstore.New(memstore.Options{})}}
	st.found.Store(&evicts)
	log := new(bytes.Buffer)
	return newShop(t, func(o *Options, rp *ReadPolicy[*book], wp *WritePolicy) {
		o.Store, o.Logger = st, slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelError}))
		rp.Level, wp.Level = level, level
		if change != nil {
			change(o, wp)
		}
	}), st, log
}

func TestStrictIsNotServedByAnUnsafeStore(t *testing.T) {
	s, _, log := unsafeShop(t, LevelStrict, nil)
	for range 3 {
		s.mustGet(t.Context(), 1)
		s.drain() // a fill that should not be
	}
	if m := s.stat("ByID"); m.Misses != 3 || m.Fills != 0 || m.Hits() != 0 {
		t.Errorf("%+v, want 3 misses and nothing stored", m)
	}
	_, err := s.bump(t.Context(), 1, nil)
	if !errors.Is(err, ErrRefused) || !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), "set noeviction") {
		t.Errorf("a strict write: %v, want a refusal that names the cure", err)
	}
	plain := func(ctx context.Context, body func(context.Context) error) error { return body(ctx) }
	err = s.cache.Transact(t.Context(), plain, func(ctx context.Context) error {
		_, err := s.bump(ctx, 1, nil)
		return err
	})
	if !errors.Is(err, ErrUnsafe) {
		t.Errorf("in a transaction: %v", err)
	}
	if v := s.rows[1].Version; v != 1 || s.stat("Update").Refused != 2 {
		t.Errorf("version %d, %d refused", v, s.stat("Update").Refused)
	}
	if err := s.cache.Ready(); !errors.Is(err, ErrUnsafe) || !strings.Contains(err.Error(), `StrictDespite "eviction"`) {
		t.Errorf("Ready: %v", err)
	}
	if n := strings.Count(log.String(), "level=ERROR"); n != 1 {
		t.Errorf("logged %d times: %s", n, log)
	}
}

func TestStrictIsServedByAnUnsafeStoreWhenThatIsAccepted(t *testing.T) {
	s, _, log := unsafeShop(t, LevelStrict, func(o *Options, _ *WritePolicy) { o.StrictDespite = []string{"eviction"} })
	if _, err := s.bump(t.Context(), 1, nil); err != nil {
		t.Error(err)
	}
	s.mustGet(t.Context(), 1)
	s.drain()
	s.mustGet(t.Context(), 1)
	if s.stat("ByID").StoreHits != 2 || s.cache.Ready() != nil || log.Len() > 0 {
		t.Errorf("%+v, %v, %s", s.stat("ByID"), s.cache.Ready(), log)
	}
}

// The levels below do not mind, but single calls may be made strict.
func TestSessionIsServedByAnUnsafeStore(t *testing.T) {
	s, _, _ := unsafeShop(t, LevelSession, nil)
	if _, err := s.bump(t.Context(), 1, nil); err != nil {
		t.Error(err)
	}
	s.mustGet(t.Context(), 1)
	s.drain()
	s.mustGet(t.Context(), 1)
	if s.stat("ByID").Hits() != 2 || s.cache.Ready() != nil {
		t.Errorf("%+v, %v", s.stat("ByID"), s.cache.Ready())
	}
	before := s.stat("ByID").Misses
	s.mustGet(Fresh(t.Context()), 1)
	if s.stat("ByID").Misses != before+1 {
		t.Error("a strict call was answered by an unsafe store")
	}
	if _, err := s.bump(Fresh(t.Context()), 1, nil); !errors.Is(err, ErrUnsafe) {
		t.Errorf("a strict call of a write: %v", err)
	}
}

func TestAStrictWriteThatProceedsProceedsOnAnUnsafeStore(t *testing.T) {
	s, _, _ := unsafeShop(t, LevelStrict, func(_ *Options, wp *WritePolicy) { wp.OnError = OnErrorProceed })
	if _, err := s.bump(t.Context(), 1, nil); err != nil || s.rows[1].Version != 2 {
		t.Errorf("%v, version %d", err, s.rows[1].Version)
	}
}

// A store that is down at the start may turn out to be unsafe, and be put right later.
func TestReadyFollowsTheProbe(t *testing.T) {
	s, st, _ := unsafeShop(t, LevelStrict, nil)
	if err := s.cache.Ready(); errors.Is(err, store.ErrDown) || !errors.Is(err, ErrUnsafe) {
		t.Fatal(err)
	}
	st.found.Store(new([]store.Finding))
	st.set("probe")
	s.cache.gate.close(store.ErrDown)
	if err := s.cache.Ready(); !errors.Is(err, store.ErrDown) || !errors.Is(err, ErrUnsafe) {
		t.Errorf("Ready of a store that is down: %v", err)
	}
	st.set()
	s.drain()
	if err := s.cache.Ready(); err != nil {
		t.Errorf("Ready after the cure: %v", err)
	}
	if _, err := s.bump(t.Context(), 1, nil); err != nil {
		t.Error(err)
	}
}
