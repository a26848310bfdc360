package layer

import (
	"context"
	"fmt"
	"strings"

	"github.com/cachegen/cachegen/runtime/store"
)

// Step is called between any two steps of a layer: what is about to be done or has been done,
// on what, and what came of it.
type Step func(ctx context.Context, step, on, what string)

// HasPosted is the step after a post.
const HasPosted = "has posted"

// stepped calls step before and after each operation of a store.
type stepped struct {
	store.Store
	step Step
}

// Read implements store.Store.
func (s stepped) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	on := r.Entry
	if on == "" {
		on = short(r.Cells)
	}
	s.step(ctx, "read", on, "")
	reply, err := s.Store.Read(ctx, r)
	s.step(ctx, "has read", short(r.Cells), seen(reply.Cells, len(reply.Entry), err))
	return reply, err
}

// Fill implements store.Store.
func (s stepped) Fill(ctx context.Context, r store.FillRequest) error {
	s.step(ctx, "fill", r.Entry.Key, "")
	err := s.Store.Fill(ctx, r)
	s.step(ctx, "has filled", r.Entry.Key, outcome(err))
	return err
}

// Mark implements store.Store.
func (s stepped) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	s.step(ctx, "mark", short(r.Cells), "")
	cells, err := s.Store.Mark(ctx, r)
	s.step(ctx, "has marked", short(r.Cells), outcome(err))
	return cells, err
}

// Post implements store.Store.
func (s stepped) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	var cells []string
	for _, c := range r.Cells {
		cells = append(cells, c.Key)
	}
	for _, c := range r.Bumps {
		cells = append(cells, c.Key)
	}
	s.step(ctx, "post", short(cells), "")
	reply, err := s.Store.Post(ctx, r)
	what := outcome(err)
	if err == nil {
		what = fmt.Sprint(reply.Outcomes)
	}
	s.step(ctx, HasPosted, short(cells), what)
	return reply, err
}

// short names cells without what they have in common; the namespace's and the repository's, which
// every read asks for, are left out.
func short(cells []string) string {
	var names []string
	for _, c := range cells {
		if i := strings.LastIndexByte(c, '/'); i >= 0 && !strings.HasSuffix(c, "/*}") {
			names = append(names, strings.TrimSuffix(c[i+1:], "}"))
		}
	}
	return strings.Join(names, ",")
}

func seen(cells []store.Cell, entry int, err error) string {
	if err != nil {
		return outcome(err)
	}
	what := "valid or not"
	if entry == 0 {
		what = "no entry"
	}
	for _, c := range cells {
		if c.Marked {
			what += ", marked"
		}
	}
	return what
}

func outcome(err error) string {
	if err != nil {
		return err.Error()
	}
	return "ok"
}
