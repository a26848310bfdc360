package memstore

import (
	"strconv"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
	"github.com/cachegen/cachegen/runtime/storetest"
)

// driven is one cell of a shard under a clock of the test's.
type driven struct{ *shard }

func (d driven) Step(s storetest.Step) (answer string) {
	now, ttl := time.UnixMilli(s.Now), time.UnixMilli(s.Now).Add(10_000*time.Hour)
	if s.Op == "lose" {
		d.cells.Delete("cell")
		return ""
	}
	err := d.update("cell", now, func(c *cell) {
		switch s.Op {
		case "read":
			if c.absent() {
				c.set(s.Fresh, ttl)
			}
		case "mark":
			c.mark(s.Token, now.Add(time.Duration(s.Lease)*time.Millisecond))
		case "post":
			answer = strconv.Itoa(int(c.post(s.Token, s.Fresh, ttl)))
		case "bump":
			answer = strconv.Itoa(int(c.bump(store.BumpCell{Known: s.Known, Absent: s.Absent, Fresh: s.Fresh}, ttl)))
		}
	})
	if err != nil {
		return err.Error()
	}
	if s.Op == "read" {
		return d.State(s.Now)
	}
	return answer
}

func (d driven) State(now int64) string {
	c, ok := d.cells.Get("cell")
	switch {
	case !ok:
		return "absent"
	case c.generation != "":
		return "g" + string(c.generation)
	}
	var list []storetest.Marker
	for _, m := range c.markers {
		list = append(list, storetest.Marker{Token: m.token, Until: m.expires.UnixMilli(), Met: m.overlapped})
	}
	return storetest.Markers(now, list)
}

// The cells of memory and the model's agree step by step; those of Redis do so with the same
// schedules.
func TestCellsAgreeWithTheModel(t *testing.T) {
	storetest.Agree(t, 500, 100, func() storetest.Cell { return driven{newShard(10, 1<<20, 10)} })
}
