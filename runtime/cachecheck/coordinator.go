package cachecheck

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"sync"
	"time"
)

type coordinator struct {
	plan   Plan
	random *rand.Rand

	mu       sync.Mutex
	judge    *Judge             // guarded by mu
	merger   *merger            // guarded by mu
	workers  map[uint32]*worker // by slot; guarded by mu
	next     uint32             // process number; guarded by mu
	kills    uint64             // guarded by mu
	stopping bool               // no process is replaced any more; guarded by mu
	failed   error              // guarded by mu
	judged   *sync.Cond         // some events have been judged
	enough   chan struct{}      // closed when Calls have been judged, or on failure
	once     sync.Once
	wg       sync.WaitGroup

	faults, stats map[string]uint64
}

// worker is a process that runs.
type worker struct {
	setup  Setup
	cmd    *exec.Cmd
	in     io.WriteCloser
	lines  chan string   // replies; closed with its output
	exited chan struct{} // closed when it has ended and its last event has been read
}

func newCoordinator(p Plan) *coordinator {
	c := &coordinator{
		plan: p, random: rand.New(rand.NewPCG(p.Seed, 1)), judge: NewJudge(p.Rules), workers: map[uint32]*worker{},
		enough: make(chan struct{}), faults: map[string]uint64{}, stats: map[string]uint64{},
	}
	c.judged = sync.NewCond(&c.mu)
	c.merger = newMerger(func(e Event) {
		c.judge.Add(e)
		if p.Event != nil {
			p.Event(e)
		}
	})
	return c
}

// seed makes the judge know what was there before.
func (c *coordinator) seed(states map[uint64]State) {
	now := Now()
	for object, s := range states {
		c.judge.Add(Event{
			Kind: Write, Level: c.plan.Level, Present: s.Present, Process: 0, Object: object,
			Version: s.Version, Value: s.Value, Start: now, End: now,
		})
	}
}

// start starts a process in a slot.
func (c *coordinator) start(slot uint32) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stopping {
		return nil
	}
	c.next++
	s := Setup{Process: c.next, Slot: slot, Clients: c.plan.Clients, Level: c.plan.Level, Seed: c.plan.Seed, Config: c.plan.Config}
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	events, theirs, err := os.Pipe()
	if err != nil {
		return err
	}
	defer theirs.Close()
	cmd := exec.Command(c.plan.Program)
	cmd.Env = append(os.Environ(), workerEnv+"="+string(text))
	cmd.ExtraFiles = []*os.File{theirs}
	cmd.Stderr = os.Stderr
	w := &worker{setup: s, cmd: cmd, exited: make(chan struct{})}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	w.lines = make(chan string)
	if w.in, err = cmd.StdinPipe(); err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	c.wg.Go(func() { w.listen(out) })
	for i := range uint32(c.plan.Clients) {
		c.merger.start(s.Process, i)
	}
	c.workers[slot] = w
	if c.plan.Started != nil {
		c.plan.Started(s, cmd.Process.Pid)
	}
	c.wg.Go(func() { c.follow(w, events) })
	_, _ = io.WriteString(w.in, "go\n") // if it has died, follow sees it
	return nil
}

// listen passes replies on, to whoever waits for one and, in the end, to follow.
func (w *worker) listen(out io.Reader) {
	defer close(w.lines)
	for r := bufio.NewReader(out); ; {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		w.lines <- line
	}
}

// follow reads a process' events until it ends, and replaces it if it was not to end.
func (c *coordinator) follow(w *worker, events *os.File) {
	defer events.Close()
	r := bufio.NewReaderSize(events, 1<<20)
	var err error
	var batch []Event
	for err == nil {
		batch, err = readEvents(r, batch[:0])
		c.take(batch)
	}
	c.mu.Lock()
	now := Now()
	for i := range uint32(c.plan.Clients) {
		c.merger.add(Event{Kind: Done, Outcome: Unknown, Level: w.setup.Level, Process: w.setup.Process, Client: i, Start: now, End: now})
	}
	c.judged.Broadcast()
	replace := !c.stopping && c.failed == nil
	close(w.exited)
	c.mu.Unlock()
	for range w.lines { // a reply may come too late for whoever gave the command
	}
	died := w.cmd.Wait()
	if !errors.Is(err, io.EOF) {
		c.fail(fmt.Errorf("process %d: %w", w.setup.Process, err))
		return
	}
	if !replace {
		return
	}
	if w.cmd.ProcessState.Exited() {
		c.fail(fmt.Errorf("process %d ended by itself: %w", w.setup.Process, died))
		return
	}
	c.mu.Lock()
	c.kills++
	c.mu.Unlock()
	if err := c.start(w.setup.Slot); err != nil {
		c.fail(err)
	}
}

// readEvents appends the next event to list, and all that have come with it.
func readEvents(r *bufio.Reader, list []Event) ([]Event, error) {
	for len(list) == 0 || r.Buffered() >= eventSize {
		e, err := ReadEvent(r)
		if err != nil {
			return list, err
		}
		list = append(list, e)
	}
	return list, nil
}

func (c *coordinator) take(events []Event) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, e := range events {
		c.merger.add(e)
	}
	c.judged.Broadcast()
	if c.judge.report.Levels[c.plan.Level].Calls >= c.plan.Calls || c.found() {
		c.once.Do(func() { close(c.enough) })
	}
}

func (c *coordinator) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.failed == nil {
		c.failed = err
	}
	c.once.Do(func() { close(c.enough) })
}

// injectUntilDone injects faults until enough calls have been judged, and each fault once.
func (c *coordinator) injectUntilDone(ctx context.Context) error {
	var order []int
	for {
		pause := c.plan.Every/2 + time.Duration(c.random.Int64N(int64(c.plan.Every)))
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done():
			c.mu.Lock()
			defer c.mu.Unlock()
			return c.failed
		case <-time.After(pause):
		}
		if len(c.plan.Faults) == 0 {
			continue
		}
		if len(order) == 0 {
			order = c.random.Perm(len(c.plan.Faults))
		}
		f := c.plan.Faults[order[0]]
		order = order[1:]
		if err := c.inject(ctx, f); err != nil {
			return fmt.Errorf("fault %s: %w", f.Name, err)
		}
	}
}

// done is closed when the run may end, and nil while some fault is still to be injected.
func (c *coordinator) done() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.faults) < len(c.plan.Faults) && c.failed == nil && !c.found() {
		return nil
	}
	return c.enough
}

// found reports whether Until has been reached. The caller holds mu.
func (c *coordinator) found() bool {
	return c.plan.Until > 0 && c.judge.report.Levels[c.plan.Level].Broken() >= c.plan.Until
}

func (c *coordinator) inject(ctx context.Context, f Fault) error {
	from := Now()
	if f.Outside { // before: reads are judged while it happens
		c.mu.Lock()
		c.judge.Void(from, from+int64(time.Hour), f.Rule)
		c.mu.Unlock()
	}
	err := f.Inject(ctx)
	c.faults[f.Name]++
	if f.Outside {
		c.mu.Lock()
		c.judge.voids[len(c.judge.voids)-1].to = Now() + int64(f.Void)
		c.mu.Unlock()
	}
	return err
}

// quiesce stops all clients and compares what every process reads with the database, for as
// long as something differs and Settle is not over.
func (c *coordinator) quiesce(ctx context.Context) error {
	c.mu.Lock()
	c.stopping = true
	c.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, c.plan.Rest+c.plan.Settle)
	defer cancel()
	if err := c.all(ctx, "stop", "stopped"); err != nil {
		return err
	}
	c.settled()
	if err := c.all(ctx, "rest", "rested"); err != nil {
		return err
	}
	truth, err := c.plan.Truth(ctx)
	if err != nil {
		return err
	}
	for deadline := time.Now().Add(c.plan.Settle); ; {
		c.mu.Lock()
		c.judge.Settle(truth)
		for _, w := range c.workers {
			select {
			case <-w.exited: // it has said Done for good
			default:
				c.merger.start(w.setup.Process, 0)
			}
		}
		c.mu.Unlock()
		if err := c.all(ctx, "final", "done"); err != nil {
			return err
		}
		c.settled()
		if c.unsettled() == 0 || time.Now().After(deadline) {
			break
		}
	}
	return c.all(ctx, "stats", "")
}

// settled returns when every client has said Done and all its events have been judged. It does
// end: each process has told on another way that it has come so far, or has died.
func (c *coordinator) settled() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.merger.empty > 0 || len(c.merger.ready) > 0 {
		c.judged.Wait()
	}
}

func (c *coordinator) unsettled() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.judge.Unsettled()
}

// all gives every process a command and waits for the replies. A process that has died in the
// meantime has come to rest in its own way.
func (c *coordinator) all(ctx context.Context, command, want string) error {
	replies := make(chan error)
	for _, w := range c.workers {
		go func() {
			_, _ = io.WriteString(w.in, command+"\n")
			var err error
			line, replied := <-w.lines
			switch {
			case !replied: // it has died
			case want == "":
				c.mu.Lock()
				err = c.addStats(line)
				c.mu.Unlock()
			case line != want+"\n":
				err = fmt.Errorf("process %d: %s: %s", w.setup.Process, command, line)
			}
			replies <- err
		}()
	}
	var failed error
	for range c.workers {
		select {
		case err := <-replies:
			failed = errors.Join(failed, err)
		case <-ctx.Done():
			return fmt.Errorf("cachecheck: %s: %w", command, ctx.Err())
		}
	}
	return failed
}

func (c *coordinator) addStats(line string) error {
	var one map[string]uint64
	if err := json.Unmarshal([]byte(line), &one); err != nil {
		return err
	}
	for k, v := range one {
		c.stats[k] += v
	}
	return nil
}

// close ends all processes.
func (c *coordinator) close() {
	c.mu.Lock()
	c.stopping = true
	for _, w := range c.workers {
		_ = w.in.Close()
	}
	c.mu.Unlock()
	for _, w := range c.workers {
		select {
		case <-w.exited:
		case <-time.After(5 * time.Second):
			_ = w.cmd.Process.Kill()
		}
	}
	c.wg.Wait()
}
