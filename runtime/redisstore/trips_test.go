package redisstore_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"strconv"
	"sync"
	"testing"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// counter stands between clients and a server and counts round trips: how often a client
// sends something, other than a PING, that has not been sent together with what still waits
// for its reply.
type counter struct {
	net.Listener
	mu    sync.Mutex
	trips int
}

func newCounter(t *testing.T, server string) *counter {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &counter{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", server)
			if err != nil {
				_ = client.Close()
				continue
			}
			waiting := new(int) // replies to come; guarded by mu
			go relay(server, client, func(batch []byte, kinds []byte) {
				c.mu.Lock()
				defer c.mu.Unlock()
				if *waiting == 0 && !bytes.Equal(batch, []byte("*1\r\n$4\r\nPING\r\n")) {
					c.trips++
				}
				*waiting += len(kinds)
			})
			go relay(client, server, func(_ []byte, kinds []byte) {
				c.mu.Lock()
				defer c.mu.Unlock()
				for _, k := range kinds {
					if k != '>' { // a push
						*waiting--
					}
				}
			})
		}
	}()
	return c
}

// relay passes on what has come, values as a whole, and tells of it first.
func relay(to, from net.Conn, tell func(batch, kinds []byte)) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
	}()
	var batch bytes.Buffer
	r := bufio.NewReaderSize(from, 1<<20)
	for {
		var kinds []byte
		batch.Reset()
		for first := true; first || r.Buffered() > 0; first = false {
			kind, err := value(r, &batch)
			if err != nil {
				return
			}
			kinds = append(kinds, kind)
		}
		tell(batch.Bytes(), kinds)
		if _, err := to.Write(batch.Bytes()); err != nil {
			return
		}
	}
}

// value copies one value of the protocol and returns its kind.
func value(r *bufio.Reader, out *bytes.Buffer) (kind byte, err error) {
	line, err := r.ReadBytes('\n')
	if err != nil {
		return 0, err
	}
	out.Write(line)
	n, _ := strconv.Atoi(string(bytes.TrimSpace(line[1:])))
	switch kind = line[0]; kind {
	case '$', '=', '!':
		if n >= 0 {
			_, err = io.CopyN(out, r, int64(n)+2)
		}
	case '%', '|':
		n *= 2
		fallthrough
	case '*', '~', '>':
		for range n {
			if _, err = value(r, out); err != nil {
				return kind, err
			}
		}
	}
	return kind, err
}

// count returns the round trips that f takes, with what it has left to be done.
func (c *counter) count(s *shop, f func()) int {
	s.trusts()
	c.mu.Lock()
	before := c.trips
	c.mu.Unlock()
	f()
	s.trusts()
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.trips - before
}

func TestRoundTrips(t *testing.T) {
	srv := testserver.Redis(t)
	c := newCounter(t, srv.Addr)
	source := newShelf()
	at := map[cachert.Level]*shop{}
	for _, level := range []cachert.Level{cachert.LevelBounded, cachert.LevelSession, cachert.LevelStrict} {
		s := openShop(t, source, plan{level: level, cache: cachert.Options{Namespace: level.String()}}, c.Addr().String())
		at[level] = s
		s.cached(1000, source.version(1000)) // scripts become known, and the cells that all entries share are made
		s.mustWrite(1000)
	}
	read := func(id int64) func(*shop) { return func(s *shop) { s.read(t.Context(), id) } }
	write := func(id int64) func(*shop) { return func(s *shop) { s.mustWrite(id) } }
	wide := func(s *shop) {
		err := s.writer.Do(t.Context(), cachert.Change{
			Tags: func(tags *cachert.Tags) {
				for id := range int64(20) {
					tags.Tag("books/book").Int(id)
				}
			},
			Run: func(context.Context) error { return nil },
		})
		if err != nil {
			t.Error(err)
		}
	}
	transaction := func(s *shop) {
		err := s.Transact(t.Context(), func(ctx context.Context, body func(context.Context) error) error { return body(ctx) },
			func(ctx context.Context) error {
				for id := range int64(5) {
					if _, err := s.write(ctx, id, nil, nil); err != nil {
						return err
					}
				}
				return nil
			})
		if err != nil {
			t.Error(err)
		}
	}
	invalidate := func(s *shop) {
		if err := s.Invalidate(t.Context(), bookTag(1)); err != nil {
			t.Error(err)
		}
	}
	for _, op := range []struct {
		name  string
		level cachert.Level
		do    func(*shop)
		want  int
	}{
		{"read, cold: one, and one for the fill", cachert.LevelSession, read(1), 2},
		{"read, near", cachert.LevelSession, read(1), 0},
		{"read, cold and strict: one more, once, for a cell that is absent", cachert.LevelStrict, read(1), 3},
		{"read, strict", cachert.LevelStrict, read(1), 1},
		{"marked write", cachert.LevelSession, write(1), 2},
		{"marked write, strict", cachert.LevelStrict, write(1), 2},
		{"marked write of 20 tags", cachert.LevelStrict, wide, 2},
		{"transaction of 5 writes", cachert.LevelStrict, transaction, 2},
		{"read after a write", cachert.LevelSession, read(1), 2},
		{"unmarked write", cachert.LevelBounded, write(1), 1},
		{"unmarked write of 20 tags", cachert.LevelBounded, wide, 1},
		{"invalidate", cachert.LevelSession, invalidate, 1},
	} {
		got := c.count(at[op.level], func() { op.do(at[op.level]) })
		t.Logf("%-66s %-8v %d", op.name, op.level, got)
		if got != op.want {
			t.Errorf("%s: %d round trips, want %d", op.name, got, op.want)
		}
	}
}
