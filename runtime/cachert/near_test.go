package cachert

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
)

// late is a store whose pushes are held back until something is read through it.
type late struct {
	store.Store
	proof    *store.Proof // of its promises
	mu       sync.Mutex
	promises map[*store.Live]*store.Live // those handed out, by those of the store
}

func (l *late) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	reply, err := l.Store.Read(ctx, r)
	l.mu.Lock()
	defer l.mu.Unlock()
	for theirs, ours := range l.promises {
		if !theirs.Alive() {
			ours.End()
		}
	}
	for i, c := range reply.Cells {
		if c.Live != nil {
			if l.promises[c.Live] == nil {
				l.promises[c.Live] = store.NewLive(l.proof)
			}
			reply.Cells[i].Live = l.promises[c.Live]
		}
	}
	return reply, err
}

// lateShop is a shop over a store that is late, and elsewhere writes a book in another process.
func lateShop(t *testing.T) (s *shop, elsewhere func()) {
	var inner *memstore.Store
	s = newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) {
		inner = o.Store.(*memstore.Store)
		o.Store = &late{Store: inner, promises: map[*store.Live]*store.Live{}}
	})
	return s, func() {
		t.Helper()
		ctx, cell, token := context.Background(), "test:{books/book:1}", string(s.cache.fresh())
		if _, err := inner.Mark(ctx, store.MarkRequest{Token: token, Cells: []string{cell}, Lease: time.Minute}); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		b := s.rows[1]
		b.Version++
		s.rows[1] = b
		s.mu.Unlock()
		_, err := inner.Post(ctx, store.PostRequest{Token: token, CellTTL: time.Hour, Cells: []store.PostCell{{Key: cell, Fresh: s.cache.fresh()}}})
		if err != nil {
			t.Fatal(err)
		}
	}
}

// lateLoad is a load that waits before it asks the source.
func (s *shop) lateLoad(gate chan struct{}) func(context.Context) (*book, error) {
	return func(ctx context.Context) (*book, error) {
		<-gate
		return s.load(1)(ctx)
	}
}

// Two loads under one snapshot, because the caller of the first has left:
//
//  1. the first reads version 1, and stalls
//  2. another process commits version 2; its push is on its way
//  3. the second reads version 2, keeps it near and hands it out
//  4. the first ends; what it keeps near looks as alive as the other
func TestAnOlderLoadUnderTheSameSnapshotIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, elsewhere := lateShop(t)
		gate := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
		s.hook = func() { <-gate[0] }
		hasty, leave := context.WithCancel(context.Background())
		go func() { _, _ = s.get(hasty, 1) }()
		synctest.Wait()
		leave()
		synctest.Wait()
		s.mu.Lock()
		s.hook = nil
		s.mu.Unlock()

		handed := make(chan *book, 1)
		go func() {
			b, err := s.byID.Get(context.Background(), s.call(1), s.lateLoad(gate[1]))
			if err != nil {
				t.Error(err)
			}
			handed <- b
		}()
		synctest.Wait()
		elsewhere()
		close(gate[1])
		if b := <-handed; b.Version != 2 {
			t.Fatalf("the second load returned version %d, want 2", b.Version)
		}
		close(gate[0])
		synctest.Wait()
		if v := s.mustGet(context.Background(), 1).Version; v != 2 {
			t.Errorf("read version %d after 2 had been handed out", v)
		}
	})
}

// A store hit that is slow to decode:
//
//  1. a read finds version 1 valid in the store, and stalls in its decoding
//  2. another process commits version 2; its push is on its way
//  3. a load that began before hands out version 2
//  4. the read keeps version 1 near
func TestAnOlderStoreHitIsNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		gate, decoding := make(chan struct{}), make(chan struct{})
		s, elsewhere := lateShop(t)
		s.byID.policy.Codec.Decode = func(b []byte) (*book, error) {
			close(decoding)
			<-gate
			return bookCodec.Decode(b)
		}
		load := make(chan struct{})
		handed := make(chan *book, 1)
		go func() { // nothing is stored yet: a load
			b, err := s.byID.Get(context.Background(), s.call(1), s.lateLoad(load))
			if err != nil {
				t.Error(err)
			}
			handed <- b
		}()
		synctest.Wait()
		// Meanwhile another process loads and stores version 1 under the same generations.
		s.mu.Lock()
		version1 := s.rows[1]
		s.mu.Unlock()
		s.storeElsewhere(&version1)
		stalled := make(chan struct{})
		go func() {
			defer close(stalled)
			s.mustGet(context.Background(), 1)
		}()
		<-decoding
		elsewhere()
		close(load)
		if b := <-handed; b.Version != 2 {
			t.Fatalf("the load returned version %d, want 2", b.Version)
		}
		close(gate)
		<-stalled
		s.byID.policy.Codec.Decode = bookCodec.Decode
		if v := s.mustGet(context.Background(), 1).Version; v != 2 {
			t.Errorf("read version %d after 2 had been handed out", v)
		}
	})
}

// storeElsewhere fills b's entry under the generations that hold now.
func (s *shop) storeElsewhere(b *book) {
	s.t.Helper()
	ctx, inner := context.Background(), s.cache.store.(*late).Store
	args := s.call(b.ID).Key.text()
	target, ok := s.byID.resolve(ctx, "", s.byID.nearKey("", args), args, s.call(b.ID))
	reply, err := inner.Read(ctx, store.ReadRequest{Cells: target.cells, Fresh: s.cache.fresh, CellTTL: time.Hour})
	if !ok || err != nil {
		s.t.Fatal(ok, err)
	}
	now := s.cache.now()
	e := envelope{kind: kindValue, stored: now, expires: now.Add(time.Minute)}
	for i, cell := range target.cells {
		e.deps = append(e.deps, dep{cell, reply.Cells[i].Generation})
	}
	if e.payload, err = bookCodec.Append(nil, b); err != nil {
		s.t.Fatal(err)
	}
	err = inner.Fill(ctx, store.FillRequest{Entry: store.Entry{Key: target.entry, Value: e.append(nil, target.entry), TTL: time.Minute}, CellTTL: time.Hour})
	if err != nil {
		s.t.Fatal(err)
	}
}
