package cachert

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
)

// ErrOverloaded reports that a read waited for its turn to ask the source until its context
// ended: see Options.MaxLoads. Who waits for a load that others may join is told the error of its
// context alone.
var ErrOverloaded = errors.New("cachegen: too many loads at the same time")

// loads bounds how many loads run at the same time, for when a cache that was warm is lost,
// or with it all that it held, every read asks the source.
type loads struct {
	slots  chan struct{} // nil: no bound
	waited atomic.Uint64
}

func newLoads(limit int) loads {
	if limit < 0 {
		return loads{}
	}
	return loads{slots: make(chan struct{}, limit)}
}

type insideKey struct{}

// inside returns a context whose loads do not wait for a turn: they are part of something that
// has one, or that must not be held up. A load that waited for another one while it holds a
// turn itself could wait for ever; so their flights are not shared with those of others either.
func inside(ctx context.Context) context.Context { return context.WithValue(ctx, insideKey{}, true) }

func isInside(ctx context.Context) bool { return ctx.Value(insideKey{}) != nil }

// enter waits for a turn, as long as ctx allows. The context returned is that of the load;
// leave ends the turn.
func (l *loads) enter(ctx context.Context) (_ context.Context, leave func(), err error) {
	if l.slots == nil || isInside(ctx) {
		return ctx, func() {}, nil
	}
	select {
	case l.slots <- struct{}{}:
	default:
		l.waited.Add(1)
		select {
		case l.slots <- struct{}{}:
		case <-ctx.Done():
			return ctx, nil, fmt.Errorf("%w: %w", ErrOverloaded, ctx.Err())
		}
	}
	return inside(ctx), func() { <-l.slots }, nil
}
