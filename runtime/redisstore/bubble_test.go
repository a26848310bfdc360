package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"log/slog"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/store"
)

// The protocol over rueidis in a bubble: schedules of time and of the network that a real
// server could only be hoped to show.

// stall is a row in a database that always answers, and how often it was asked.
type stall struct {
	mu      sync.Mutex
	version int64
	loads   int
}

func (d *stall) load(context.Context) (int64, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.loads++
	return d.version, nil
}

func (d *stall) commit(context.Context) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.version++
	return nil
}

func (d *stall) asked() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.loads
}

// peer is one process: a cache over the fake, and the wrapper of one row.
type peer struct {
	t     *testing.T
	cache *cachert.Cache
	db    *stall
	read  *cachert.Reader[int64]
	write *cachert.Writer
}

// bubble runs test with a fake server in a bubble. A goroutine that does not end would fail it.
func bubble(t *testing.T, test func(t *testing.T, f *fake, db *stall)) {
	synctest.Test(t, func(t *testing.T) {
		f := newFake(t)
		t.Cleanup(func() { // after all else
			f.close()
			time.Sleep(time.Minute) // rueidis lets what it does in the background sleep on
		})
		test(t, f, &stall{version: 1})
	})
}

func (f *fake) peer(name string, db *stall, level cachert.Level) *peer {
	f.t.Helper()
	cache, err := cachert.Open(cachert.Options{
		Namespace: "ns", Store: f.store(name), Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		f.t.Fatal(err)
	}
	f.t.Cleanup(func() { _ = cache.Close() })
	repo := cache.Repo(cachert.RepoPolicy{Name: "rows"})
	return &peer{
		t: f.t, cache: cache, db: db,
		read: cachert.NewReader(repo, cachert.ReadPolicy[int64]{
			Method: "Get", Key: "Get", Schema: "1", Level: level, TTL: time.Minute,
			Codec: cachert.Codec[int64]{
				Append: func(b []byte, v int64) ([]byte, error) { return strconv.AppendInt(b, v, 10), nil },
				Decode: func(b []byte) (int64, error) { return strconv.ParseInt(string(b), 10, 64) },
			},
		}),
		write: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Set", Level: level}),
	}
}

func (p *peer) call() cachert.Call[int64] {
	return cachert.Call[int64]{
		Key:  cachert.NewArgs().Int(1),
		Tags: func(t *cachert.Tags) { t.Tag("rows/row").Int(1) },
	}
}

func (p *peer) get(ctx context.Context) int64 {
	p.t.Helper()
	v, err := p.read.Get(ctx, p.call(), p.db.load)
	if err != nil {
		p.t.Errorf("a read failed: %v", err)
	}
	return v
}

func (p *peer) want(version int64) {
	p.t.Helper()
	if v := p.get(context.Background()); v != version {
		p.t.Errorf("read version %d, want %d", v, version)
	}
}

// set writes the next version; during runs after the commit.
func (p *peer) set(during func()) error {
	return p.write.Do(context.Background(), cachert.Change{
		Tags: func(t *cachert.Tags) { t.Tag("rows/row").Int(1) },
		Run: func(ctx context.Context) error {
			err := p.db.commit(ctx)
			if during != nil {
				during()
			}
			return err
		},
	})
}

func (p *peer) mustSet() {
	p.t.Helper()
	if err := p.set(nil); err != nil {
		p.t.Error(err)
	}
}

// warm reads until the value stands near.
func (p *peer) warm() {
	p.t.Helper()
	for range 3 {
		p.get(context.Background())
		synctest.Wait()
	}
	before := p.db.asked()
	p.get(context.Background())
	if s := p.stats(); p.db.asked() != before || s.NearHits == 0 {
		p.t.Errorf("nothing stands near: %+v", s)
	}
}

func (p *peer) stats() cachert.MethodStats { return p.cache.Stats().Methods[0] }

func (p *peer) drain() {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := p.cache.Drain(ctx); err != nil {
		p.t.Error(err)
	}
}

// 1. the reader holds version 1 near
// 2. its connection goes silent: no reply, no push, no reset
// 3. a writer in another process commits version 2 and is acknowledged
// 4. the push is lost; within two seconds the silence is noticed and every promise has ended
func TestSilentConnectionIsGivenUpInTwoSeconds(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		reader, writer := f.peer("reader", db, cachert.LevelSession), f.peer("writer", db, cachert.LevelSession)
		reader.warm()
		f.silence("reader")
		writer.mustSet()
		written, stale := time.Now(), time.Duration(0)
		for time.Since(written) < 5*time.Second {
			if reader.get(context.Background()) == 1 {
				stale = time.Since(written)
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Logf("the last stale answer came %v after the write", stale)
		if stale == 0 || stale > 2100*time.Millisecond {
			t.Errorf("stale for %v: want some time, and no more than two seconds", stale)
		}
		reader.drain()
		reader.want(2)
	})
}

// 1. the reader holds version 1 near; what is sent to it is held up on the way
// 2. a writer in another process commits version 2, is acknowledged, and its push is held up, too
// 3. the connection breaks: the push is lost
// 4. every promise has ended with the connection
func TestPushIsLostWithItsConnection(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		reader, writer := f.peer("reader", db, cachert.LevelSession), f.peer("writer", db, cachert.LevelSession)
		reader.warm()
		f.hold("reader")
		writer.mustSet()
		synctest.Wait()
		reader.want(1) // the push has not come
		f.cut("reader")
		synctest.Wait()
		reader.want(2)
		reader.drain()
		reader.want(2)
	})
}

// 1. the reader holds version 1 near; its push is held up on the way
// 2. a strict read asks: its reply stands behind the push
// 3. when it has come, the near value is gone as well
func TestReplyStandsBehindThePush(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		reader, writer := f.peer("reader", db, cachert.LevelSession), f.peer("writer", db, cachert.LevelSession)
		reader.warm()
		f.hold("reader")
		writer.mustSet()
		done := make(chan int64)
		go func() { done <- reader.get(cachert.Fresh(context.Background())) }()
		synctest.Wait()
		f.release("reader")
		if v := <-done; v != 2 {
			t.Errorf("a strict read got version %d", v)
		}
		reader.want(2)
	})
}

// 1. the process holds version 1 near and writes version 2 without a mark
// 2. the script's reply comes, and behind it the push
// 3. the write returns when the fence behind both has been answered: the process reads 2
func TestWriterReadsItsOwnWriteThoughThePushStandsBehindTheReply(t *testing.T) {
	for _, level := range []cachert.Level{cachert.LevelBounded, cachert.LevelSession} {
		t.Run(level.String(), func(t *testing.T) {
			bubble(t, func(t *testing.T, f *fake, db *stall) {
				p := f.peer("both", db, level)
				for version := range int64(20) {
					p.warm()
					p.want(version + 1)
					p.mustSet()
					p.want(version + 2)
				}
			})
		})
	}
}

// 1. a reader in another process holds version 1 near
// 2. the writer's mark is applied, and the connection breaks before the reply
// 3. session: it proceeds; nothing is stale when its journal has been delivered
//
// Strict: it is refused before the source is touched.
func TestConnectionBreaksBetweenMarkAndReply(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		reader, writer := f.peer("reader", db, cachert.LevelSession), f.peer("writer", db, cachert.LevelSession)
		reader.warm()
		writer.mustSet() // the server knows the scripts by now, if it had to learn them
		reader.warm()
		f.loseReply("writer", "EVALSHA")
		if err := writer.set(nil); err != nil {
			t.Errorf("the write failed with %v", err)
		}
		writer.want(3)
		synctest.Wait()
		reader.want(3) // the mark has arrived
		writer.drain()
		reader.warm()
		reader.want(3)
		if s := writer.cache.Stats(); s.Outages == 0 {
			t.Error("no connection was lost")
		}
	})
}

// See TestConnectionBreaksBetweenMarkAndReply.
func TestStrictWriteIsRefusedWhenItsMarkIsNotAnswered(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		p := f.peer("both", db, cachert.LevelStrict)
		p.want(1)
		f.loseReply("both", "EVALSHA")
		if err := p.set(func() { t.Error("the source was touched") }); !errors.Is(err, cachert.ErrRefused) {
			t.Errorf("%v, want ErrRefused", err)
		}
		p.drain()
		p.want(1)
		p.mustSet()
		p.want(2)
	})
}

// 1. a writer marks, commits version 2, and its process is cut off for good
// 2. until its lease ends readers ask the source each time
// 3. then they keep version 2: the generation of version 1 does not come back
func TestMarkOfADeadWriterExpires(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		reader, writer := f.peer("reader", db, cachert.LevelSession), f.peer("writer", db, cachert.LevelSession)
		reader.warm()
		err := writer.set(func() {
			f.silence("writer")
			_ = writer.cache.Close() // its journal dies with it
		})
		if err != nil {
			t.Error(err)
		}
		synctest.Wait() // the push has come
		start := time.Now()
		for time.Since(start) < 9*time.Second {
			before := db.asked()
			reader.want(2)
			if db.asked() == before {
				t.Fatalf("a read was answered by the cache %v after the mark", time.Since(start))
			}
			time.Sleep(time.Second)
		}
		time.Sleep(2 * time.Second)
		reader.warm()
		reader.want(2)
	})
}

// An entry that has outlived its TTL is loaded again, also by a process that holds it near.
func TestEntryExpires(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		p := f.peer("reader", db, cachert.LevelSession)
		p.warm()
		_ = db.commit(context.Background()) // past the cache
		time.Sleep(59 * time.Second)
		p.want(1)
		time.Sleep(2 * time.Second)
		p.want(2)
	})
}

// A cell that expires takes along what stands near: its promise ends with a push.
func TestCellExpires(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, _ *stall) {
		s := f.store("reader")
		defer func() { _ = s.Close() }()
		if _, err := s.Probe(context.Background()); err != nil {
			t.Fatal(err)
		}
		read := func() store.Cell {
			reply, err := s.Read(context.Background(), store.ReadRequest{
				Cells: []string{"ns:{a}"}, Near: true, CellTTL: time.Hour,
				Fresh: func() store.Generation { return store.Generation(rand.Text()) },
			})
			if err != nil {
				t.Fatal(err)
			}
			return reply.Cells[0]
		}
		first := read()
		time.Sleep(time.Hour - time.Second)
		if first.Live == nil || !first.Live.Alive() {
			t.Fatal("the promise has ended before its time")
		}
		time.Sleep(2 * time.Second)
		if first.Live.Alive() {
			t.Error("the promise is alive, the cell is not")
		}
		if again := read(); again.Generation == first.Generation {
			t.Error("the generation has come again")
		}
	})
}

// 1. the server accepts connections and answers nothing
// 2. Open returns in time, reads and writes go to the source, without waiting
// 3. the server answers again: the store is trusted within two seconds, and nothing is stale
func TestProbeHangs(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		f.muteAll(true)
		start := time.Now()
		p := f.peer("both", db, cachert.LevelSession)
		if d := time.Since(start); d > 100*time.Millisecond {
			t.Errorf("Open took %v", d)
		}
		start = time.Now()
		p.want(1)
		p.mustSet()
		p.want(2)
		if d := time.Since(start); d > 0 {
			t.Errorf("reads and a write took %v without a store", d)
		}
		time.Sleep(10 * time.Second)
		f.muteAll(false)
		start = time.Now()
		p.drain()
		t.Logf("trusted again after %v", time.Since(start))
		if d := time.Since(start); d > 3*time.Second {
			t.Errorf("it took %v until the store was trusted again", d)
		}
		p.warm()
		p.want(2)
	})
}

// 1. version 1 is stored; the server keeps a snapshot
// 2. a write changes it to version 2, and another process stores that
// 3. the server restarts from its snapshot: version 1 with the generation it was stored under
// 4. neither process takes it for current: the run id is not the one it knows
func TestServerComesBackWithAnotherRunIDAndOlderState(t *testing.T) {
	bubble(t, func(t *testing.T, f *fake, db *stall) {
		reader, writer := f.peer("reader", db, cachert.LevelSession), f.peer("writer", db, cachert.LevelSession)
		reader.warm()
		old := f.snapshot()
		writer.mustSet()
		reader.warm()
		f.restart("second", old)
		synctest.Wait()
		for _, p := range []*peer{reader, writer} {
			p.want(2)
			p.drain()
			p.want(2)
			p.warm()
			p.want(2)
		}
	})
}
