package redisstore_test

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/store"
)

func within(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// A reader whose time is up must not take along another one who asked for the same cell.
func TestAReaderDoesNotInheritAnothersDeadline(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	if err := srv.Stop(); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	hasty, patient := within(t, 300*time.Millisecond), within(t, 10*time.Second)
	for i := range 20 {
		request := store.ReadRequest{
			Cells: []string{fmt.Sprintf("ns:{%d}", i)}, Near: true, CellTTL: time.Hour,
			Fresh: func() store.Generation { return "fresh" },
		}
		for reader := range 4 { // any of them may come first
			wg.Go(func() {
				ctx, want := patient, error(nil)
				if reader%2 == 0 {
					ctx, want = hasty, store.ErrDown
				}
				if _, err := s.Read(ctx, request); !errors.Is(err, want) {
					t.Errorf("reader %d of cell %d: %v, want %v", reader, i, err, want)
				}
			})
		}
	}
	<-hasty.Done()
	if err := srv.Cont(); err != nil {
		t.Fatal(err)
	}
	wg.Wait()
}

// rueidis sends pipelines of 2000 commands and more over another connection, on which the
// fence says nothing.
func TestTheFenceHoldsForAVeryLargePost(t *testing.T) {
	s := open(t, testserver.Redis(t).Addr)
	const n = 1500
	var request store.PostRequest
	var cells []string
	for i := range n {
		key := fmt.Sprintf("ns:{%d}", i)
		cells = append(cells, key)
		request.Bumps = append(request.Bumps, store.BumpCell{Key: key, Fresh: "another"})
	}
	request.CellTTL = time.Hour
	for range 3 {
		var promises []*store.Live
		for range 2 { // made, then tracked
			reply, err := read(s, cells...)
			if err != nil {
				t.Fatal(err)
			}
			promises = promises[:0]
			for _, c := range reply.Cells {
				if c.Live != nil {
					promises = append(promises, c.Live)
				}
			}
		}
		if len(promises) != n {
			t.Fatalf("%d promises for %d cells", len(promises), n)
		}
		if _, err := s.Post(within(t, 10*time.Second), request); err != nil {
			t.Fatal(err)
		}
		alive := 0
		for _, p := range promises {
			if p.Alive() {
				alive++
			}
		}
		if alive > 0 {
			t.Fatalf("%d of %d promises are alive after Post", alive, n)
		}
	}
}

// A server that is full, but answers, is not down: only what cannot be stored is lost.
func TestFullMemoryIsNotDown(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	live(t, s, "ns:{a}")
	must(t, srv, "CONFIG", "SET", "maxmemory", "1")
	err := s.Fill(within(t, 5*time.Second), store.FillRequest{Entry: store.Entry{Key: "ns:{a}:e", Value: []byte("v"), TTL: time.Hour}})
	if err == nil || errors.Is(err, store.ErrDown) {
		t.Errorf("Fill: %v, want an error that is not ErrDown", err)
	}
	if _, err := read(s, "ns:{a}"); err != nil {
		t.Errorf("Read: %v", err)
	}
	_, err = s.Post(within(t, 5*time.Second), store.PostRequest{Bumps: []store.BumpCell{{Key: "ns:{a}", Fresh: "f"}}, CellTTL: time.Hour})
	if err == nil {
		t.Error("Post says that it has invalidated what it could not")
	}
}

// What answers after a restart may hold an old generation together with its old entry:
// nobody may read it before a probe has told.
func TestAReconnectedServerIsNotReadBeforeAProbe(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	promise := live(t, s, "ns:{a}")
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	must(t, srv, "SET", "ns:{a}", "gold")
	for range 100 {
		if _, err := read(s, "ns:{a}"); !errors.Is(err, store.ErrDown) {
			t.Fatalf("a read without a probe: %v, want ErrDown", err)
		}
	}
	if promise.Alive() {
		t.Error("the promise outlived the server")
	}
	if changed, err := s.Probe(within(t, 10*time.Second)); !changed || err != nil {
		t.Fatalf("Probe: %v, %v", changed, err)
	}
	live(t, s, "ns:{a}")
}

func TestFlushEndsPromises(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	one, two := live(t, s, "ns:{a}"), live(t, s, "ns:{b}")
	must(t, srv, "FLUSHALL")
	await(t, func() bool { return !one.Alive() && !two.Alive() })
	if n := s.Tracked(); n != 0 {
		t.Errorf("%d cells tracked after a flush", n)
	}
}

// An address that swallows everything: the deadline holds, and the store comes back.
func TestABlackHoleKeepsTheDeadline(t *testing.T) {
	srv := testserver.Redis(t)
	var mu sync.Mutex
	swallow := true
	s, err := redisstore.New(rueidis.ClientOption{
		InitAddress: []string{srv.Addr},
		DialFn: func(addr string, d *net.Dialer, _ *tls.Config) (net.Conn, error) {
			mu.Lock()
			hole := swallow
			mu.Unlock()
			if hole { // no context, no answer: until the test ends
				<-t.Context().Done()
				return nil, errors.New("swallowed")
			}
			return d.Dial("tcp", addr)
		},
	}, redisstore.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for range 3 {
		start := time.Now()
		_, err := s.Probe(within(t, 50*time.Millisecond))
		if !errors.Is(err, store.ErrDown) {
			t.Errorf("Probe: %v, want ErrDown", err)
		}
		if _, err := read(s, "ns:{a}"); !errors.Is(err, store.ErrDown) {
			t.Errorf("Read: %v, want ErrDown", err)
		}
		if took := time.Since(start); took > time.Second {
			t.Errorf("took %v", took)
		}
	}
	mu.Lock()
	swallow = false
	mu.Unlock()
	if _, err := s.Probe(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	live(t, s, "ns:{a}")
}

// A server that hangs for good is found out by the connection itself, idle or not.
func TestAFrozenServerEndsPromises(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	down := make(chan error, 1)
	s.OnDown(func(err error) { down <- err })
	promise := live(t, s, "ns:{a}")
	if err := srv.Stop(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Cont() }()
	select {
	case err := <-down:
		if !errors.Is(err, store.ErrDown) || promise.Alive() {
			t.Errorf("%v, promise alive %v", err, promise.Alive())
		}
	case <-time.After(10 * time.Second):
		t.Fatal("not noticed")
	}
}

func TestTheBoundOfTrackedCellsHolds(t *testing.T) {
	srv := testserver.Redis(t)
	s, err := redisstore.New(rueidis.ClientOption{InitAddress: []string{srv.Addr}}, redisstore.Options{MaxTracked: 160})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	if _, err := s.Probe(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	var promises []*store.Live
	for i := range 1000 {
		promises = append(promises, live(t, s, fmt.Sprintf("ns:{%d}", i)))
	}
	alive := 0
	for _, p := range promises {
		if p.Alive() {
			alive++
		}
	}
	if n := s.Tracked(); n > 160 || alive != n {
		t.Errorf("%d cells tracked, %d promises alive, want at most 160 and as many", n, alive)
	}
}

func await(t *testing.T, ok func() bool) {
	t.Helper()
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	late := time.After(10 * time.Second)
	for !ok() {
		select {
		case <-tick.C:
		case <-late:
			t.Fatal("not within 10 s")
		}
	}
}

// 1 the server refuses CLIENT CACHING, which it allowed at the self-test; 2 the GET behind it is
// answered, untracked; 3 the cell changes, and nobody is told.
func TestAReadThatIsNotTrackedLeavesNoPromise(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	must(t, srv, "SET", "cell", "gone")
	must(t, srv, "ACL", "SETUSER", "default", "-client|caching")
	if _, err := read(s, "cell"); err == nil {
		t.Error("a tracked read succeeded although tracking was refused")
	}
	must(t, srv, "ACL", "SETUSER", "default", "+client|caching")
	must(t, srv, "SET", "cell", "gtwo")
	r, err := read(s, "cell", "other")
	if err != nil {
		t.Fatal(err)
	}
	if g := r.Cells[0].Generation; g != "two" {
		t.Errorf("generation %q, want two", g)
	}
}

// A cluster client does not say that CLIENT CACHING was refused: the next probe finds out, and
// the one after it goes on without promises.
func TestCachingThatIsRefusedLaterIsFoundByAProbe(t *testing.T) {
	c := testserver.RedisCluster(t, 1)
	s := open(t, c.Addrs()...)
	promise := live(t, s, "ns:{a}")
	must(t, c.Nodes[0], "ACL", "SETUSER", "default", "-client|caching")
	if _, err := s.Probe(within(t, 10*time.Second)); !errors.Is(err, store.ErrDown) || promise.Alive() {
		t.Errorf("Probe: %v, the promise is alive: %v", err, promise.Alive())
	}
	if _, err := s.Probe(within(t, 10*time.Second)); err != nil {
		t.Fatal(err)
	}
	if f := s.Findings(); len(f) == 0 || f[0].Code != "tracking" && f[len(f)-1].Code != "tracking" {
		t.Errorf("%+v", f)
	}
	for range 3 {
		if r, err := read(s, "ns:{a}"); err != nil || r.Cells[0].Live != nil {
			t.Errorf("%+v, %v", r, err)
		}
	}
}
