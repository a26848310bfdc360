package cachecheck_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// The test runs in several processes: each is this program again.
func TestMain(m *testing.M) {
	cachecheck.Worker(open)
	os.Exit(m.Run())
}

const counters = 5

// database keeps numbered counters behind a socket: "get N" and "add N" both return the value.
type database struct {
	mu     sync.Mutex
	counts [counters]uint64
}

func serve(t *testing.T) (db *database, address string) {
	t.Helper()
	address = filepath.Join(t.TempDir(), "db")
	l, err := net.Listen("unix", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	db = &database{}
	for i := range db.counts {
		db.counts[i] = 1
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go db.answer(conn)
		}
	}()
	return db, address
}

func (db *database) answer(conn net.Conn) {
	defer conn.Close()
	r := bufio.NewReader(conn)
	for {
		var what string
		var n int
		if _, err := fmt.Fscanln(r, &what, &n); err != nil {
			return
		}
		db.mu.Lock()
		if what == "add" {
			db.counts[n]++
		}
		v := db.counts[n]
		db.mu.Unlock()
		fmt.Fprintln(conn, v)
	}
}

func (db *database) state(context.Context) (map[uint64]cachecheck.State, error) {
	db.mu.Lock()
	defer db.mu.Unlock()
	m := map[uint64]cachecheck.State{}
	for n, v := range db.counts {
		m[uint64(n)] = cachecheck.State{Version: v, Present: true}
	}
	return m, nil
}

// counterCache asks the database, or remembers for ever what it has seen once.
type counterCache struct {
	address   string
	remembers bool
	mortal    bool
	dies      bool // when it is told to rest
	mu        sync.Mutex
	conn      net.Conn
	seen      map[int]uint64
}

func open(_ context.Context, s cachecheck.Setup) (cachecheck.System, error) {
	c := &counterCache{seen: map[int]uint64{}, dies: s.Slot == 0 && strings.HasSuffix(s.Config, "dies at rest")}
	if _, err := fmt.Sscan(s.Config, &c.address, &c.remembers, &c.mortal); err != nil {
		return nil, err
	}
	var err error
	c.conn, err = net.Dial("unix", c.address)
	return c, err
}

func (c *counterCache) ask(what string, n int) (v uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if v, ok := c.seen[n]; ok && what == "get" && c.remembers {
		return v
	}
	fmt.Fprintln(c.conn, what, n)
	if _, err := fmt.Fscan(c.conn, &v); err != nil {
		panic(err)
	}
	c.seen[n] = v
	return v
}

func (c *counterCache) Step(_ context.Context, op *cachecheck.Op) {
	n := op.Rand.IntN(counters)
	if op.Rand.IntN(4) > 0 {
		op.Saw(uint64(n), 0, c.ask("get", n), 0)
		return
	}
	op.Begin(uint64(n), false)
	v := c.ask("add", n)
	if c.mortal && op.Rand.IntN(500) == 0 {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	op.Wrote(uint64(n), v, 0)
}

func (c *counterCache) Final(_ context.Context, op *cachecheck.Op) {
	for n := range counters {
		op.Saw(uint64(n), 0, c.ask("get", n), 0)
	}
}

func (c *counterCache) Rest(context.Context) error {
	if c.dies {
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
	return nil
}

func (c *counterCache) Stats() map[string]uint64 {
	return map[string]uint64{"seen": uint64(len(c.seen))}
}

func plan(db *database, config string) cachecheck.Plan {
	return cachecheck.Plan{
		Config: config, Level: cachecheck.Strict, Processes: 2, Clients: 3, Calls: 5000,
		Seeds: db.state, Truth: db.state, Settle: time.Millisecond,
	}
}

func TestRunFindsNothingWhereNothingIsCached(t *testing.T) {
	db, address := serve(t)
	p := plan(db, address+" false true")
	var injected int
	p.Every = time.Millisecond
	p.Faults = []cachecheck.Fault{{Name: "nothing", Inject: func(context.Context) error { injected++; return nil }}}
	r, err := cachecheck.Run(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	if r.Broken() > 0 {
		t.Errorf("%d promises broken: %v", r.Broken(), r.Violations)
	}
	if n := r.Total().Calls; n < p.Calls {
		t.Errorf("%d calls judged, want %d", n, p.Calls)
	}
	if r.Kills == 0 {
		t.Error("no process was killed and replaced")
	}
	if injected == 0 || r.Faults["nothing"] != uint64(injected) {
		t.Errorf("%d faults counted, %d injected", r.Faults["nothing"], injected)
	}
	if r.Stats["seen"] == 0 {
		t.Error("the processes' own counts are missing")
	}
}

func TestRunFindsOutWhatNobodyInvalidates(t *testing.T) {
	db, address := serve(t)
	r, err := cachecheck.Run(t.Context(), plan(db, address+" true false"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Total().Broken() == 0 || r.Unsettled == 0 {
		t.Errorf("%d broken, %d unsettled: a cache without any invalidation was not found out", r.Total().Broken(), r.Unsettled)
	}
}

// TestAProcessMayDieWhenItIsToRest: nobody replies to a command then, and it is not an error.
func TestAProcessMayDieWhenItIsToRest(t *testing.T) {
	db, address := serve(t)
	r, err := cachecheck.Run(t.Context(), plan(db, address+" false false dies at rest"))
	if err != nil {
		t.Fatal(err)
	}
	if r.Broken() > 0 || r.Stats["seen"] != counters {
		t.Errorf("%d promises broken, %d counted, want none and what one process has", r.Broken(), r.Stats["seen"])
	}
}

func TestRunReportsAFaultThatFails(t *testing.T) {
	db, address := serve(t)
	p := plan(db, address+" false false")
	failed := errors.New("no such server")
	p.Every = time.Millisecond
	p.Faults = []cachecheck.Fault{{Name: "restart", Inject: func(context.Context) error { return failed }}}
	if _, err := cachecheck.Run(t.Context(), p); !errors.Is(err, failed) {
		t.Errorf("Run returned %v, want %v", err, failed)
	}
}

func TestRunReportsAProcessThatEnds(t *testing.T) {
	db, _ := serve(t)
	if _, err := cachecheck.Run(t.Context(), plan(db, "nowhere false false")); err == nil {
		t.Error("processes that cannot start went unnoticed")
	}
}
