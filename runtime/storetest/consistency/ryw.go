package consistency

import (
	"sync"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// readYourWrites: in one process, at the level that is the default, each write is followed by
// a read of the row and a read of its list; neither may be older than the write. The near
// cache is warm from the pair before, which is what makes it hard.
func (c Config) readYourWrites(t *testing.T) {
	const writers = 8
	db, processes := c.open(t, cachert.LevelSession)
	for id := range int64(writers) {
		db.commit(id)
	}
	var wg sync.WaitGroup
	for id := range int64(writers) {
		p := processes[id%2]
		wg.Go(func() {
			for i := range c.Pairs / writers {
				if !pair(t, p, id, i%2 == 0) {
					return
				}
			}
		})
	}
	wg.Wait()
	drain(t, processes)
	healthy(t, processes)
	near, stored := hits(processes)
	if near == 0 {
		t.Error("no read was answered near: nothing was tested")
	}
	t.Logf("%d pairs, %d reads answered near, %d by the store", c.Pairs/writers*writers, near, stored)
}

// pair writes a row that nobody else writes and reads it back.
func pair(t *testing.T, p *process, id int64, put bool) bool {
	ctx := t.Context()
	want, err := p.write(ctx, write{id: id, put: put})
	if err != nil {
		t.Errorf("write: %v", err)
		return false
	}
	for range 2 { // the second one may be near
		got, err := p.byID(ctx, id, nil)
		if err != nil || got != want {
			t.Errorf("wrote %+v, read %+v, %v", want, got, err)
			return false
		}
	}
	rows, err := p.byShelf(ctx, want.shelf())
	if err != nil {
		t.Errorf("list: %v", err)
		return false
	}
	for _, r := range rows {
		if r.ID == id && r != want {
			t.Errorf("wrote %+v, listed %+v", want, r)
			return false
		}
	}
	return true
}
