package layer

import (
	"context"

	"github.com/cachegen/cachegen/runtime/store"
)

// stepped calls step before and after each operation of a store.
type stepped struct {
	store.Store
	step func(ctx context.Context, step string)
}

func (s stepped) around(ctx context.Context, before, after string) func() {
	s.step(ctx, before)
	return func() { s.step(ctx, after) }
}

// Read implements store.Store.
func (s stepped) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	defer s.around(ctx, "read", "read done")()
	return s.Store.Read(ctx, r)
}

// Fill implements store.Store.
func (s stepped) Fill(ctx context.Context, r store.FillRequest) error {
	defer s.around(ctx, "fill", "fill done")()
	return s.Store.Fill(ctx, r)
}

// Mark implements store.Store.
func (s stepped) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	defer s.around(ctx, "mark", "mark done")()
	return s.Store.Mark(ctx, r)
}

// Post implements store.Store.
func (s stepped) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	defer s.around(ctx, "post", "post done")()
	return s.Store.Post(ctx, r)
}
