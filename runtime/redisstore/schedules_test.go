package redisstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/store"
)

// Schedules of spec/schedules.md by name, as far as a server is needed to play them.

// 1. the process asks, and the server answers with generation 1
// 2. a writer in another one changes the cell: a push, and generation 2
// 3. the process asks again, and is answered with generation 2
// 4. all three arrive; whoever was answered with generation 1 must not hold the promise that
// has been made for generation 2
func TestStoreLandsAfterPush(t *testing.T) {
	srv := testserver.Redis(t)
	w := newWire(t, srv.Addr)
	process, other := open(t, w.addr()), open(t, srv.Addr)
	tracked := func(n string) {
		t.Helper()
		await(t, func() bool {
			info, err := srv.Do("INFO", "stats")
			if err != nil {
				t.Fatal(err)
			}
			return strings.Contains(info, "tracking_total_keys:"+n+"\r\n")
		})
	}
	must(t, srv, "FLUSHALL") // what the probes have read
	tracked("0")
	for i := range 20 {
		cell := fmt.Sprintf("ns:{%d}", i)
		must(t, srv, "SET", cell, "g1", "PX", "600000")
		_, release := w.hold()
		replies := make(chan store.Cell, 2)
		ask := func() {
			r, err := read(process, cell)
			if err != nil {
				t.Error(err)
				replies <- store.Cell{}
				return
			}
			replies <- r.Cells[0]
		}
		go ask()
		tracked("1")
		_, err := other.Post(t.Context(), store.PostRequest{Bumps: []store.BumpCell{{Key: cell, Known: "1", Fresh: "2"}}, CellTTL: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		tracked("0")
		go ask()
		tracked("1")
		release()
		for _, got := range []store.Cell{<-replies, <-replies} { // both: the push stands before the second
			if got.Generation == "1" && got.Live != nil && got.Live.Alive() {
				t.Fatalf("round %d: generation 1 with a promise that is alive", i)
			}
		}
		must(t, srv, "DEL", cell)
		tracked("0")
	}
}

// 1. the process keeps a value near, under a promise
// 2. the connection is silent; the store is given up
// 3. no push can come any more, so the promise must end now, not when the connection does
func TestConnectionDiesUnnoticed(t *testing.T) {
	srv := testserver.Redis(t)
	s := open(t, srv.Addr)
	promise := live(t, s, "ns:{a}")
	if err := srv.Stop(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = srv.Cont() }()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if promise.Alive() {
		t.Error("the promise is alive, and nobody will end it")
	}
}
