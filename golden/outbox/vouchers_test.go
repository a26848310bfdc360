package outbox_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/golden/outbox"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// box is an Outbox that takes note.
type box struct {
	failed error
	cells  [][]string
	open   map[string]bool
}

func (b *box) Add(_ context.Context, _ any, row cachert.OutboxRow) error {
	if b.failed != nil {
		return b.failed
	}
	b.cells = append(b.cells, row.Cells)
	b.open[row.ID] = true
	return nil
}

func (b *box) Delivered(ids []string) {
	for _, id := range ids {
		delete(b.open, id)
	}
}

func TestWritesLeaveRows(t *testing.T) {
	b := &box{open: map[string]bool{}}
	cache, err := cachert.Open(cachert.Options{Namespace: "golden", Outbox: b})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	vouchers := outbox.NewCachedVoucherRepo(&outbox.Vouchers{Rows: map[string]outbox.Voucher{"a": {"a", 100}}}, cache)
	ctx := t.Context()
	for code, cents := range map[string]int64{"a": 100, "new": 0} {
		if v, err := vouchers.ByCode(ctx, code); v.Cents != cents || err != nil {
			t.Fatal(v, err)
		}
	}
	if err := vouchers.Spend(ctx, "a", 30); err != nil {
		t.Error(err)
	}
	if _, err := vouchers.Issue(ctx, 5); err != nil {
		t.Error(err)
	}
	if err := vouchers.Touch(ctx, "a"); err != nil {
		t.Error(err)
	}
	for code, cents := range map[string]int64{"a": 70, "new": 5} {
		if v, err := vouchers.ByCode(ctx, code); v.Cents != cents || err != nil {
			t.Error(v, err)
		}
	}
	want := [][]string{{"golden:{vouchers/voucher:a}"}, {"golden:{*}"}}
	if !slices.EqualFunc(b.cells, want, slices.Equal) || len(b.open) != 0 {
		t.Errorf("rows for %q, want %q; %d stay", b.cells, want, len(b.open))
	}
	b.failed = errors.New("no such table")
	if err := vouchers.Spend(ctx, "a", 30); !errors.Is(err, cachert.ErrRefused) || !errors.Is(err, b.failed) {
		t.Errorf("without a row: %v", err)
	}
	if n := vouchers.Sweep(ctx); n != 2 {
		t.Errorf("Sweep: %d", n)
	}
}

// A cache without an outbox cannot be used, and says so at once.
func TestNoOutbox(t *testing.T) {
	cache, err := cachert.Open(cachert.Options{Namespace: "golden"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = cache.Close()
		if text, _ := recover().(string); !strings.Contains(text, "vouchers.Spend says onerror=outbox") || !strings.Contains(text, "set Outbox in cachert.Options") {
			t.Errorf("panic %q", text)
		}
	}()
	outbox.NewCachedVoucherRepo(&outbox.Vouchers{}, cache)
}
