package cachert

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
)

// mortal is a client of a store that outlives it.
type mortal struct{ *flaky }

func (mortal) Close() error { return nil }

// town is a database, a store, and processes that lose the store and die.
type town struct {
	t      *testing.T
	shared *memstore.Store

	mu        sync.Mutex
	version   [3]int64
	processes [3]*inhabitant
}

// inhabitant is a process.
type inhabitant struct {
	cache *Cache
	store *flaky
	read  *Reader[int64]
	write *Writer
}

func (w *town) newProcess() *inhabitant {
	p := &inhabitant{store: &flaky{Store: w.shared}}
	var err error
	p.cache, err = Open(Options{Namespace: "town", Store: mortal{p.store}, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		w.t.Fatal(err)
	}
	repo := p.cache.Repo(RepoPolicy{Name: "r"})
	p.read = NewReader(repo, ReadPolicy[int64]{Method: "Get", Key: "Get", Schema: "1", TTL: 30 * time.Second, Codec: Codec[int64]{
		Append: func(b []byte, v int64) ([]byte, error) { return append(b, byte(v), byte(v>>8)), nil },
		Decode: func(b []byte) (int64, error) { return int64(b[0]) + int64(b[1])<<8, nil },
	}})
	p.write = NewWriter(repo, WritePolicy{Method: "Set"})
	return p
}

func (w *town) process(i int) *inhabitant {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.processes[i]
}

func (w *town) commit(id int) int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.version[id]++
	return w.version[id]
}

func (w *town) call(id int) Call[int64] {
	return Call[int64]{Key: NewArgs().Int(int64(id)), Tags: func(t *Tags) { t.Tag("r/row").Int(int64(id)) }}
}

func (w *town) get(ctx context.Context, p *inhabitant, id int) int64 {
	v, err := p.read.Get(ctx, w.call(id), func(context.Context) (int64, error) {
		w.mu.Lock()
		v := w.version[id]
		w.mu.Unlock()
		time.Sleep(time.Millisecond)
		return v, nil
	})
	if err != nil {
		w.t.Error(err)
	}
	return v
}

// set returns what was committed when it returns; some of its commits come later, or return as if
// they had not come.
func (w *town) set(ctx context.Context, p *inhabitant, id int, rnd *rand.Rand) (v int64) {
	how := rnd.IntN(10)
	put := rnd.IntN(2) == 0
	err := p.write.Do(ctx, Change{
		Tags: func(t *Tags) { t.Tag("r/row").Int(int64(id)) },
		Run: func(ctx context.Context) error {
			if how == 0 {
				time.AfterFunc(time.Duration(rnd.Int64N(int64(9*time.Second))), func() { w.commit(id) })
				return context.DeadlineExceeded
			}
			v = w.commit(id)
			time.Sleep(time.Duration(rnd.Int64N(int64(100 * time.Millisecond))))
			if how == 1 {
				return context.DeadlineExceeded
			}
			return nil
		},
		Put: func(puts *Puts) {
			if put {
				p.read.Put(puts, w.call(id), v)
			}
		},
	})
	if err != nil && how > 1 {
		w.t.Error(err)
	}
	return v
}

// trouble takes stores away and kills processes until done.
func (w *town) trouble(rnd *rand.Rand, done <-chan struct{}) {
	sets := [][]string{{"post"}, {"mark", "post"}, {"mark", "post", "probe", "read"}, {}, {}}
	for {
		select {
		case <-done:
			return
		case <-time.After(time.Duration(rnd.Int64N(int64(2 * time.Second)))):
		}
		i := rnd.IntN(len(w.processes))
		if rnd.IntN(6) > 0 {
			w.process(i).store.set(sets[rnd.IntN(len(sets))]...)
			continue
		}
		next := w.newProcess()
		w.mu.Lock()
		old := w.processes[i]
		w.processes[i] = next
		w.mu.Unlock()
		_ = old.cache.Close() // what it owes is lost; calls under way go to the source
	}
}

// Sessions go from process to process with their tokens, while processes lose the store, die
// with what they owe it, and writes end as nobody knows. No read returns less than its
// session has written.
func TestSessionsRandomly(t *testing.T) {
	var without atomic.Int64
	var untrusted, doubted int
	for seed := range uint64(10) {
		synctest.Test(t, func(t *testing.T) {
			for _, tokens := range []bool{false, true} {
				w := &town{t: t, shared: memstore.New(memstore.Options{})}
				for i := range w.processes {
					w.processes[i] = w.newProcess()
				}
				done := make(chan struct{})
				var sessions, rest sync.WaitGroup
				rest.Go(func() { w.trouble(rand.New(rand.NewPCG(seed, 99)), done) })
				for s := range uint64(5) {
					rnd := rand.New(rand.NewPCG(seed, s))
					sessions.Go(func() {
						var acked [3]int64
						token := ""
						for range 60 {
							time.Sleep(time.Duration(rnd.Int64N(int64(400 * time.Millisecond))))
							p, id := w.process(rnd.IntN(3)), rnd.IntN(3)
							if !tokens {
								token = ""
							}
							session := p.cache.NewSession(token)
							ctx := WithSession(context.Background(), session)
							if rnd.IntN(10) < 2 {
								acked[id] = max(acked[id], w.set(ctx, p, id, rnd))
							} else if got := w.get(ctx, p, id); got < acked[id] && tokens {
								t.Errorf("seed %d, session %d: read %d, had written %d", seed, s, got, acked[id])
							} else if got < acked[id] {
								without.Add(1)
							}
							token = session.Token()
						}
					})
				}
				sessions.Wait()
				close(done)
				rest.Wait()
				for _, p := range w.processes {
					for _, m := range p.cache.Stats().Methods {
						untrusted += int(m.Untrusted)
						doubted += int(m.Doubted)
					}
					_ = p.cache.Close()
				}
				time.Sleep(time.Minute) // commits that are still to come
			}
		})
	}
	t.Logf("%d reads too old without tokens, none with them; %d times the store was not trusted, %d times the near cache", without.Load(), untrusted, doubted)
	if without.Load() == 0 || untrusted == 0 {
		t.Error("nothing was tested")
	}
}
