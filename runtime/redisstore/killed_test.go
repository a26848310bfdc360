package redisstore_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// cut is what cuts a connection while the reply to something is on its way.
type cut struct {
	t    *testing.T
	srv  *testserver.RedisServer
	wire *wire
	cell string
}

func newCut(t *testing.T, source *shelf, level cachert.Level) (*cut, *shop, *shop) {
	t.Helper()
	c := &cut{t: t, srv: testserver.Redis(t)}
	c.wire = newWire(t, c.srv.Addr)
	p := plan{level: level}
	writer, other := openShop(t, source, p, c.wire.addr()), openShop(t, source, p, c.srv.Addr)
	writer.mustWrite(1) // the server knows the scripts from here on
	writer.cached(1, 1)
	other.cached(1, 1)
	keys, err := c.srv.Do("KEYS", "*{books/book*}")
	if err != nil || keys == "" {
		t.Fatal(keys, err)
	}
	c.cell = keys
	return c, writer, other
}

// when holds what the server says from now on, and cuts the connections once the cell holds a
// value that begins so: what did that has been done, and nobody is told.
func (c *cut) when(begins string) (done <-chan struct{}) {
	_, release := c.wire.hold()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		defer release()
		for ctx := within(c.t, 10*time.Second); ; {
			v, err := c.srv.Do("GET", c.cell)
			if err != nil || ctx.Err() != nil {
				c.t.Errorf("the cell holds %q: %v", v, err)
				return
			}
			if strings.HasPrefix(v, begins) {
				break
			}
		}
		c.wire.cut()
	}()
	return ended
}

// 1 a mark is done, and the connection dies before its reply has come; 2 a strict write is
// refused, one at session goes on; 3 the marker must not stand until its lease ends
func TestConnectionIsKilledDuringAMark(t *testing.T) {
	for level, want := range map[cachert.Level]int64{cachert.LevelSession: 2, cachert.LevelStrict: 1} {
		t.Run(level.String(), func(t *testing.T) {
			source := newShelf()
			c, writer, other := newCut(t, source, level)
			done := c.when("m")
			_, err := writer.write(t.Context(), 1, nil, nil)
			if refused := errors.Is(err, cachert.ErrRefused); refused != (want == 1) || !refused && err != nil {
				t.Errorf("the write: %v", err)
			}
			<-done
			writer.fresh(1, want)
			writer.trusts()
			other.trusts()
			writer.cached(1, want)
			other.cached(1, want)
		})
	}
}

// 1 a post is done, and the connection dies before its reply has come; 2 the write is
// acknowledged; 3 the post is delivered once more
func TestConnectionIsKilledDuringAPost(t *testing.T) {
	for _, level := range []cachert.Level{cachert.LevelSession, cachert.LevelStrict} {
		t.Run(level.String(), func(t *testing.T) {
			source := newShelf()
			c, writer, other := newCut(t, source, level)
			var done <-chan struct{}
			v, err := writer.write(t.Context(), 1, nil, func() { done = c.when("g") })
			if v != 2 || err != nil {
				t.Errorf("the write: version %d, %v", v, err)
			}
			<-done
			writer.fresh(1, 2)
			if level == cachert.LevelStrict {
				other.fresh(1, 2)
			}
			writer.trusts()
			other.trusts()
			writer.cached(1, 2)
			other.cached(1, 2)
		})
	}
}
