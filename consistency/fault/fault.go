package fault

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// Site is where faults happen: one Redis server behind a proxy for each process, a database.
type Site struct {
	Redis   *testserver.RedisServer
	Proxies []*Proxy
	// DB is a connection of one's own to PostgreSQL; nil: there are no faults of the database.
	DB *sql.DB
	// Void is how long after a fault from outside of the assumptions its traces may last: as
	// long as writes that it met.
	Void time.Duration

	// Owes, if not nil, reports whether a process owes others an invalidation. Such a one is not
	// killed: what it owes would be lost, which no level below strict stands.
	Owes func(process uint32) (bool, error)

	mu        sync.Mutex
	processes map[uint32]process // by slot; guarded by mu
}

type process struct {
	number uint32
	pid    int
}

// Started takes note of a process.
func (s *Site) Started(setup cachecheck.Setup, pid int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.processes == nil {
		s.processes = map[uint32]process{}
	}
	s.processes[setup.Slot] = process{setup.Process, pid}
}

// Fault is one that the levels promise to stand.
type Fault struct {
	cachecheck.Fault
	// Kills says that a process dies. Below session that voids what its writes owe.
	Kills bool
	// Down says that some process cannot reach the store for a time.
	Down bool
}

// Judged is f as it is to be judged where writes may proceed without the store having been told:
// until what they owe has been delivered, another process that reads the source, because it does
// not reach the store either, and then the store, may go back in time. When that is the processes
// say themselves; but a write may have been read before its call says so.
func (s *Site) Judged(f Fault, proceeds bool) cachecheck.Fault {
	if f.Down && proceeds {
		f.Outside, f.Void, f.Rule = true, s.Void, cachecheck.RuleOwnRead
	}
	return f.Fault
}

func between(a, b time.Duration) time.Duration { return a + rand.N(b-a) }

// Within are the faults that the levels promise to stand.
func (s *Site) Within() []Fault {
	fault := func(name string, inject func(context.Context) error) Fault {
		return Fault{Fault: cachecheck.Fault{Name: name, Inject: inject}}
	}
	down := func(name string, inject func(context.Context) error) Fault {
		f := fault(name, inject)
		f.Down = true
		return f
	}
	killed := fault("process killed", s.killProcess)
	killed.Kills = true
	faults := []Fault{
		killed,
		fault("process stopped", s.stopProcess),
		fault("SCRIPT FLUSH", s.do("SCRIPT", "FLUSH")),
		down("CLIENT KILL", s.do("CLIENT", "KILL", "TYPE", "normal")),
		down("slow server", s.slow),
		down("frozen server", func(context.Context) error { return s.freeze(between(200*time.Millisecond, 2500*time.Millisecond)) }),
		down("late delivery", s.silence(50*time.Millisecond, 900*time.Millisecond, false)),
		down("black hole", s.silence(200*time.Millisecond, 2500*time.Millisecond, true)),
	}
	if s.DB != nil {
		faults = append(faults, fault("database connection killed", s.terminate), fault("rows locked", s.lock))
	}
	return faults
}

// Outside are the faults that void some promise for a time.
func (s *Site) Outside() []cachecheck.Fault {
	out := []cachecheck.Fault{
		{Name: "FLUSHALL", Inject: s.do("FLUSHALL")},
		{Name: "eviction", Inject: s.evict},
		{Name: "restart, empty", Inject: func(context.Context) error { return s.restart(false) }},
		{Name: "restart from RDB", Inject: func(context.Context) error { return s.restart(true) }},
	}
	for i := range out {
		out[i].Outside, out[i].Void = true, s.Void
	}
	return out
}

func (s *Site) do(args ...string) func(context.Context) error {
	return func(context.Context) error {
		_, err := s.Redis.Do(args...)
		return err
	}
}

// slow makes the server answer late, and not too late, for a while.
func (s *Site) slow(context.Context) error {
	for range 8 {
		if err := s.freeze(between(10*time.Millisecond, 70*time.Millisecond)); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond)
	}
	return nil
}

func (s *Site) freeze(d time.Duration) error {
	if err := s.Redis.Stop(); err != nil {
		return err
	}
	time.Sleep(d)
	return s.Redis.Cont()
}

func (s *Site) silence(a, b time.Duration, cut bool) func(context.Context) error {
	return func(context.Context) error {
		s.Proxies[rand.IntN(len(s.Proxies))].Silence(between(a, b), cut)
		return nil
	}
}

// signal sends a signal to some process of the run; one that has just died is no error.
func (s *Site) signal(pid int, sig syscall.Signal) error {
	if err := syscall.Kill(pid, sig); err != nil && !errors.Is(err, syscall.ESRCH) {
		return fmt.Errorf("fault: %w", err)
	}
	return nil
}

func (s *Site) anyProcess() process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.processes[uint32(rand.IntN(len(s.processes)))]
}

func (s *Site) stopProcess(context.Context) error {
	pid := s.anyProcess().pid
	if err := s.signal(pid, syscall.SIGSTOP); err != nil {
		return err
	}
	time.Sleep(between(50*time.Millisecond, 700*time.Millisecond))
	return s.signal(pid, syscall.SIGCONT)
}

// killProcess kills a process where it happens to be. It is stopped first, so that it cannot
// come to owe something while that is looked up.
func (s *Site) killProcess(ctx context.Context) error {
	for {
		p := s.anyProcess()
		if err := s.signal(p.pid, syscall.SIGSTOP); err != nil {
			return err
		}
		time.Sleep(5 * time.Millisecond) // its threads stop one by one
		owes := false
		if s.Owes != nil {
			var err error
			if owes, err = s.Owes(p.number); err != nil {
				return errors.Join(err, s.signal(p.pid, syscall.SIGCONT))
			}
		}
		if !owes {
			return s.signal(p.pid, syscall.SIGKILL)
		}
		if err := errors.Join(s.signal(p.pid, syscall.SIGCONT), ctx.Err()); err != nil {
			return err
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// terminate ends connections that are in the middle of something, COMMIT where there is one.
func (s *Site) terminate(ctx context.Context) error {
	_, err := s.DB.ExecContext(ctx, `SELECT pg_terminate_backend(pid) FROM (
		SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'
		ORDER BY (lower(query) = 'commit') DESC, random() LIMIT 4) t`)
	return err
}

// lock keeps writers of the rows that are written most waiting, some for longer than they may.
func (s *Site) lock(ctx context.Context) error {
	tx, err := s.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // it has changed nothing
	if _, err := tx.ExecContext(ctx, "SET LOCAL statement_timeout = 0"); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, "SELECT id FROM items WHERE id IN (1, 2, 3) ORDER BY id FOR UPDATE"); err != nil {
		return err
	}
	time.Sleep(between(100*time.Millisecond, 900*time.Millisecond))
	return nil
}

// evict takes away cells and entries of the rows that are read most, and some others.
func (s *Site) evict(context.Context) error {
	text, err := s.Redis.Do("KEYS", "*")
	if err != nil {
		return err
	}
	keys := strings.Split(text, "\n")
	rand.Shuffle(len(keys), func(i, j int) { keys[i], keys[j] = keys[j], keys[i] })
	args := []string{"DEL"}
	for _, k := range keys[:min(len(keys), 1+len(keys)/4)] {
		if k != "" {
			args = append(args, k)
		}
	}
	if len(args) == 1 {
		return nil
	}
	_, err = s.Redis.Do(args...)
	return err
}

// restart kills the server and starts it again with what it saved a moment before, or nothing.
func (s *Site) restart(saved bool) error {
	dir, err := s.Redis.Do("CONFIG", "GET", "dir")
	if err != nil {
		return err
	}
	dump := filepath.Join(strings.TrimPrefix(dir, "dir\n"), "dump.rdb")
	if err := os.Remove(dump); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("fault: %w", err)
	}
	if saved {
		if _, err := s.Redis.Do("SAVE"); err != nil {
			return err
		}
		time.Sleep(between(0, 300*time.Millisecond)) // what comes now is forgotten
	}
	if err := s.Redis.Kill(); err != nil {
		return err
	}
	return s.Redis.Restart()
}

// Count sums up faults for a table: "12 black hole, 3 eviction".
func Count(counts map[string]uint64) (text string, total uint64) {
	var parts []string
	for name, n := range counts {
		if n > 0 {
			parts = append(parts, strconv.FormatUint(n, 10)+" "+name)
			total += n
		}
	}
	return strings.Join(parts, ", "), total
}
