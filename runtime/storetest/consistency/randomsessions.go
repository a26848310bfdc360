package consistency

import (
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// wanderers is the number of sessions in a random run.
const wanderers = 8

// randomSessions lets sessions loose that go from process to process with nothing but their
// tokens, while what the store says to one of them is held back now and then. No read may
// return less than what its session was acknowledged anywhere, or had read of the same object.
func (c Config) randomSessions(t *testing.T) {
	db, processes := c.open(t, cachert.LevelSession)
	for id := range int64(keys) {
		db.commit(id)
	}
	steps := c.Steps / 8
	for _, tokens := range []bool{false, true} { // without them: the control
		weather := &weather{hold: c.Hold, awake: wanderers}
		weather.changed.L = &weather.mu
		wait := weather.begin()
		var wg sync.WaitGroup
		all := make([]*wanderer, wanderers)
		for i := range all {
			w := &wanderer{world: world{t: t, db: db, processes: processes}, rnd: rand.New(rand.NewPCG(uint64(i), 7)), tokens: tokens}
			all[i] = w
			wg.Go(func() {
				defer weather.event(func() { weather.awake-- })
				for range steps / wanderers {
					who := w.rnd.IntN(2)
					weather.event(func() { weather.asking[who]++ })
					w.step(processes[who])
					weather.event(func() { weather.asking[who]--; weather.steps++ })
				}
			})
		}
		wg.Wait()
		wait()
		stale := 0
		for _, w := range all {
			stale += w.stale
		}
		t.Logf("tokens %v: %d steps, %d reads less than the session knew", tokens, steps, stale)
		if tokens && stale > 0 {
			t.Errorf("%d reads returned less than the session knew", stale)
		}
	}
	drain(t, processes)
	healthy(t, processes)
}

// weather holds the first process back again and again, each time until some steps have been
// done or all sessions wait for that process.
type weather struct {
	hold func() (asked <-chan struct{}, release func())

	mu      sync.Mutex
	changed sync.Cond
	awake   int    // sessions that go on
	asking  [2]int // of these, in each process
	steps   int
}

func (w *weather) event(f func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	f()
	w.changed.Broadcast()
}

// begin returns a function that waits for the end.
func (w *weather) begin() (wait func()) {
	over := make(chan struct{})
	go func() {
		defer close(over)
		for w.hold != nil && w.once() {
		}
	}()
	return func() { <-over }
}

func (w *weather) once() bool {
	_, release := w.hold()
	defer release()
	w.mu.Lock()
	defer w.mu.Unlock()
	for until := w.steps + 20; w.steps < until && w.asking[0] < w.awake; {
		w.changed.Wait()
	}
	return w.awake > 0
}

// wanderer is one session.
type wanderer struct {
	world
	rnd               *rand.Rand
	tokens            bool
	token             string
	acked, one, lists [keys]int64
	stale             int
}

// step does one operation.
func (w *wanderer) step(p *process) {
	if !w.tokens {
		w.token = ""
	}
	session, id := p.NewSession(w.token), w.rnd.Int64N(keys)
	ctx := cachert.WithSession(w.t.Context(), session)
	switch n := w.rnd.IntN(100); {
	case n < 60:
		r, err := p.byID(ctx, id, nil)
		w.know(&w.one, r, err)
	case n < 80:
		rows, err := p.byShelf(ctx, w.rnd.Int64N(shelves))
		for _, r := range rows {
			w.know(&w.lists, r, err)
		}
	default:
		if r, err := p.write(ctx, w.randomWrite(w.rnd, id)); err == nil {
			w.acked[r.ID] = r.Version
		}
	}
	w.token = session.Token()
}

func (w *wanderer) know(read *[keys]int64, r row, err error) {
	if err != nil {
		w.t.Errorf("read: %v", err)
	}
	if r.Version < max(w.acked[r.ID], read[r.ID]) {
		w.stale++
	}
	read[r.ID] = max(read[r.ID], r.Version)
}
