package memstore_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/memstore"
	"github.com/cachegen/cachegen/runtime/store"
	"github.com/cachegen/cachegen/runtime/storetest"
)

func TestConformance(t *testing.T) {
	for name, options := range map[string]memstore.Options{
		"default": {},
		"small":   {MaxEntries: 300, MaxCells: 300, MaxBytes: 1 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			storetest.Run(t, func(t *testing.T) storetest.Fixture {
				s := memstore.New(options)
				t.Cleanup(func() { _ = s.Close() })
				return storetest.Fixture{
					Store: s,
					Other: s,
					Open:  func(*testing.T) store.Store { return memstore.New(options) },
					Evict: func(_ *testing.T, key string) { s.Evict(key) },
					Flush: func(*testing.T) { s.Flush() },
				}
			})
		})
	}
}

// client calls a store and fails the test on any error.
type client struct {
	*testing.T
	*memstore.Store
	made int
}

func (c *client) fresh() store.Generation {
	c.made++
	return store.Generation(fmt.Sprintf("g%d", c.made))
}

func (c *client) cell(key string) store.Cell {
	c.Helper()
	reply, err := c.Read(context.Background(), store.ReadRequest{
		Cells: []string{key}, Near: true, Fresh: c.fresh, CellTTL: time.Hour,
	})
	if err != nil {
		c.Fatal(err)
	}
	return reply.Cells[0]
}

func (c *client) fill(key string, size int, ttl time.Duration) {
	c.Helper()
	err := c.Fill(context.Background(), store.FillRequest{Entry: store.Entry{Key: key, Value: make([]byte, size), TTL: ttl}})
	if err != nil {
		c.Fatal(err)
	}
}

func (c *client) has(key string) bool {
	c.Helper()
	reply, err := c.Read(context.Background(), store.ReadRequest{Entry: key})
	if err != nil {
		c.Fatal(err)
	}
	return reply.Entry != nil
}

func (c *client) mark(token, key string, lease time.Duration) {
	c.Helper()
	_, err := c.Mark(context.Background(), store.MarkRequest{Token: token, Cells: []string{key}, Lease: lease})
	if err != nil {
		c.Fatal(err)
	}
}

func TestTimeIsVirtualInABubble(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client{T: t, Store: memstore.New(memstore.Options{})}
		c.fill("entry", 1, time.Minute)
		c.mark("w", "marked", time.Minute)
		held := c.cell("held")

		time.Sleep(time.Minute - 1)
		if !c.has("entry") || !c.cell("marked").Marked || !held.Live.Alive() {
			t.Error("something ended too early")
		}
		time.Sleep(1 * time.Nanosecond)
		if c.has("entry") || c.cell("marked").Marked {
			t.Error("something did not end in time")
		}
		time.Sleep(time.Hour)
		if again := c.cell("held"); again.Generation == held.Generation || held.Live.Alive() {
			t.Error("a cell outlived its TTL")
		}
	})
}

func TestRenewOnlyBelowHalf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client{T: t, Store: memstore.New(memstore.Options{})}
		renew := func() {
			err := c.Fill(context.Background(), store.FillRequest{
				Entry: store.Entry{Key: "e", TTL: time.Second}, Renew: []string{"c"}, CellTTL: time.Hour,
			})
			if err != nil {
				t.Fatal(err)
			}
		}
		g := c.cell("c").Generation
		time.Sleep(20 * time.Minute)
		renew() // 40 minutes are left: nothing happens
		time.Sleep(20 * time.Minute)
		renew() // 20 minutes are left: an hour again
		time.Sleep(59 * time.Minute)
		if c.cell("c").Generation != g {
			t.Error("not renewed below half")
		}
		time.Sleep(time.Minute)
		if c.cell("c").Generation == g {
			t.Error("renewed above half")
		}
	})
}

func TestEntriesStayWithinTheirBounds(t *testing.T) {
	for name, options := range map[string]memstore.Options{
		"one shard, entries":   {MaxEntries: 100},
		"one shard, bytes":     {MaxBytes: 100 * (1000 + 128 + 4)},
		"many shards, entries": {MaxEntries: 3200},
	} {
		t.Run(name, func(t *testing.T) {
			c := &client{T: t, Store: memstore.New(options)}
			for i := range 10_000 {
				c.fill(fmt.Sprintf("%04d", i), 1000, time.Hour)
			}
			limit := max(100, options.MaxEntries)
			if entries, _ := c.Len(); entries > limit || entries < limit*9/10 {
				t.Errorf("%d entries, want about %d and not more", entries, limit)
			}
			if !c.has("9999") {
				t.Error("the newest entry is gone")
			}
		})
	}
}

func TestReplacingAnEntryFreesItsBytes(t *testing.T) {
	c := &client{T: t, Store: memstore.New(memstore.Options{MaxBytes: 10_000})}
	c.fill("other", 1000, time.Hour)
	for range 1000 {
		c.fill("same", 5000, time.Hour)
	}
	if !c.has("same") || !c.has("other") {
		t.Error("an entry was evicted although both fit")
	}
}

func TestAnEntryTooLargeIsNotKeptNorItsPredecessor(t *testing.T) {
	c := &client{T: t, Store: memstore.New(memstore.Options{MaxBytes: 10_000})}
	c.fill("other", 1000, time.Hour)
	c.fill("large", 1000, time.Hour)
	c.fill("large", 20_000, time.Hour)
	if c.has("large") {
		t.Error("kept")
	}
	if !c.has("other") {
		t.Error("it pushed out another entry")
	}
}

func TestUsedEntriesOutliveAScan(t *testing.T) {
	c := &client{T: t, Store: memstore.New(memstore.Options{MaxEntries: 100})}
	for i := range 10 {
		c.fill(fmt.Sprint("hot", i), 1, time.Hour)
	}
	for i := range 1000 {
		c.fill(fmt.Sprint("scan", i), 1, time.Hour)
		if !c.has(fmt.Sprint("hot", i%10)) {
			t.Fatalf("a used entry was evicted after %d of the scan", i)
		}
	}
}

func TestEvictingACellEndsItsPromise(t *testing.T) {
	c := &client{T: t, Store: memstore.New(memstore.Options{MaxCells: 10})}
	first := c.cell("first")
	for i := range 100 {
		c.cell(fmt.Sprint(i))
	}
	if _, cells := c.Len(); cells > 10 {
		t.Errorf("%d cells", cells)
	}
	if first.Live.Alive() {
		t.Error("the promise outlived its cell")
	}
	if again := c.cell("first"); again.Generation == first.Generation {
		t.Error("the generation came back")
	}
}

func TestACellWithAMarkerIsNeverEvicted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &client{T: t, Store: memstore.New(memstore.Options{MaxCells: 10})}
		for i := range 20 {
			c.mark("w", fmt.Sprint("marked", i), time.Minute)
		}
		for i := range 100 {
			c.cell(fmt.Sprint(i))
		}
		for i := range 20 {
			if !c.cell(fmt.Sprint("marked", i)).Marked {
				t.Errorf("marker %d is gone", i)
			}
		}
		time.Sleep(time.Minute)
		c.cell("one more")
		if _, cells := c.Len(); cells > 10 {
			t.Errorf("%d cells after the markers ended", cells)
		}
	})
}

func TestCloseFreesEverything(t *testing.T) {
	c := &client{T: t, Store: memstore.New(memstore.Options{})}
	c.fill("e", 1, time.Hour)
	live := c.cell("c").Live
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	if entries, cells := c.Len(); entries != 0 || cells != 0 || live.Alive() {
		t.Errorf("%d entries, %d cells, promise alive %v", entries, cells, live.Alive())
	}
	if _, err := c.Probe(context.Background()); !errors.Is(err, store.ErrDown) {
		t.Errorf("Probe after Close: %v", err)
	}
}

func TestNegativeBoundsPanic(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	memstore.New(memstore.Options{MaxEntries: -1})
}
