package memstore

import (
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// cell is one tag's state: absent (the zero value), a generation, or markers; never both of
// the latter. The lock of its shard guards it.
type cell struct {
	generation store.Generation
	expires    time.Time   // of the generation
	live       *store.Live // the promise handed out for the generation; nil: none yet
	markers    []marker
}

// marker is a write in progress.
type marker struct {
	token   string
	expires time.Time
	// overlapped: another write stood in this cell at some moment since our mark, so what
	// this one holds is perhaps not what the database holds last: it may not write through.
	overlapped bool
}

func (c *cell) absent() bool { return c.generation == "" && len(c.markers) == 0 }

// settle drops what has expired. It comes before every other operation.
func (c *cell) settle(now time.Time) {
	if c.generation != "" && !now.Before(c.expires) {
		c.unset()
	}
	kept := c.markers[:0]
	for _, m := range c.markers {
		if now.Before(m.expires) {
			kept = append(kept, m)
		}
	}
	clear(c.markers[len(kept):])
	c.markers = kept
}

// set gives the cell a generation. Any promise for the one before ends first.
func (c *cell) set(g store.Generation, expires time.Time) {
	c.unset()
	c.generation, c.expires = g, expires
}

func (c *cell) unset() {
	if c.live != nil {
		c.live.End()
	}
	c.generation, c.expires, c.live = "", time.Time{}, nil
}

// view is what a reader sees.
func (c *cell) view(promise bool) store.Cell {
	if len(c.markers) > 0 {
		return store.Cell{Marked: true}
	}
	if promise && c.live == nil {
		c.live = new(store.Live)
	}
	v := store.Cell{Generation: c.generation}
	if promise {
		v.Live = c.live
	}
	return v
}

// mark adds a marker and destroys the generation. The same token again extends the lease.
func (c *cell) mark(token string, expires time.Time) {
	c.unset()
	if i := c.find(token); i >= 0 {
		if c.markers[i].expires.Before(expires) {
			c.markers[i].expires = expires
		}
		return
	}
	c.overlap()
	c.markers = append(c.markers, marker{token: token, expires: expires, overlapped: len(c.markers) > 0})
}

// post removes the marker of token. Where the marker is gone, writes that we could not see
// may have come and gone beside us:
//
//  1. A marks, its lease ends, B marks (alone as it seems), both commit, A last
//  2. B posts alone and writes its value through
//  3. A posts: without the repair, B's older value would stay valid
//
// and with A's post before B's, B may not write through: so it becomes overlapped.
func (c *cell) post(token string, fresh store.Generation, expires time.Time) store.Outcome {
	i := c.find(token)
	if i < 0 {
		if len(c.markers) > 0 {
			c.overlap()
		} else {
			c.set(another(fresh), expires)
		}
		return store.Lost
	}
	overlapped := c.markers[i].overlapped
	c.markers = append(c.markers[:i], c.markers[i+1:]...)
	switch {
	case len(c.markers) > 0:
		return store.Pending
	case overlapped:
		c.set(another(fresh), expires)
		return store.Replaced
	default:
		c.set(fresh, expires)
		return store.Taken
	}
}

// bump gives the cell a new generation on behalf of a write that has not marked it.
func (c *cell) bump(b store.BumpCell, expires time.Time) store.Outcome {
	switch {
	case len(c.markers) > 0:
		c.overlap()
		return store.Pending
	case c.absent() && b.Absent, c.generation != "" && c.generation == b.Known:
		c.set(b.Fresh, expires)
		return store.Taken
	default:
		c.set(another(b.Fresh), expires)
		return store.Replaced
	}
}

func (c *cell) find(token string) int {
	for i := range c.markers {
		if c.markers[i].token == token {
			return i
		}
	}
	return -1
}

// overlap takes from every standing marker the right to write through.
func (c *cell) overlap() {
	for i := range c.markers {
		c.markers[i].overlapped = true
	}
}

// another is a generation that nobody holds: an entry stored under g is invalid beside it.
func another(g store.Generation) store.Generation { return g + "r" }
