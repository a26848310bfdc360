package cachert

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
)

// kinds notes the events of an Observer.
type kinds struct {
	mu  sync.Mutex
	all []EventKind
}

func (k *kinds) Observe(e Event) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.all = append(k.all, e.Kind)
}

func (k *kinds) count(e EventKind) (n int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	for _, kind := range k.all {
		if kind == e {
			n++
		}
	}
	return n
}

// Each window is counted once, and told.
func TestVoids(t *testing.T) {
	for _, c := range []struct {
		name  string
		level Level
		make  func(s *shop, f *flaky)
		want  Voids
		event EventKind
	}{
		{"nothing happens", LevelSession, func(s *shop, f *flaky) {
			_, _ = s.bump(context.Background(), 1, nil)
		}, Voids{}, EventWrite},
		{"the marker is gone", LevelSession, func(s *shop, f *flaky) {
			_, _ = s.bump(context.Background(), 1, func() error { <-time.After(11 * time.Second); return nil })
		}, Voids{MarkersLost: 1, Overdue: 1}, EventMarkerLost},
		{"the commit is late", LevelStrict, func(s *shop, f *flaky) {
			_, _ = s.bump(context.Background(), 1, func() error { <-time.After(8 * time.Second); return nil })
		}, Voids{Overdue: 1}, EventOverdue},
		{"the write goes on untold", LevelSession, func(s *shop, f *flaky) {
			f.set("mark")
			_, _ = s.bump(context.Background(), 1, nil)
		}, Voids{Untold: 1}, EventUntold},
		{"the bump is not delivered", LevelBounded, func(s *shop, f *flaky) {
			f.set("post")
			_, _ = s.bump(context.Background(), 1, nil)
		}, Voids{Undelivered: 1}, EventUndelivered},
		{"the outcome is unknown", LevelSession, func(s *shop, f *flaky) {
			_, _ = s.bump(context.Background(), 1, func() error { return context.Canceled })
		}, Voids{Unknown: 1}, EventUnknown},
		{"another server answers", LevelSession, func(s *shop, f *flaky) {
			f.changeServer()
			f.set("read")
			s.mustGet(context.Background(), 1)
			f.set()
			synctest.Wait()
			<-time.After(3 * time.Second)
		}, Voids{ServerChanges: 1}, EventServerChange},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				seen := &kinds{}
				f := &flaky{Store: memstore.New(memstore.Options{})}
				s := newShop(t, func(o *Options, r *ReadPolicy[*book], w *WritePolicy) {
					o.Store, o.Observer, r.Level, w.Level = f, seen, c.level, c.level
				})
				c.make(s, f)
				if got := s.cache.Stats().Voids; got != c.want {
					t.Errorf("%+v, want %+v", got, c.want)
				}
				if seen.count(c.event) == 0 {
					t.Errorf("event %d was not told of", c.event)
				}
				_ = s.cache.Close()
			})
		})
	}
}
