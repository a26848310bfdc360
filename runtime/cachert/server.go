package cachert

import (
	"context"
	"hash/fnv"
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/runtime/store"
)

// recognise compares the server with the one on which the namespace's generation was made,
// which that generation names. A process that has seen no other server cannot tell otherwise:
//
//  1. a snapshot holds an entry together with its generations
//  2. a write is acknowledged
//  3. the server restarts from the snapshot, or a replica takes over that was not told
//  4. a process starts, and finds the entry valid
//
// What was made on another server is given up, unless that is owed already.
func (c *Cache) recognise(ctx context.Context) error {
	identified, ok := c.store.(store.Identified)
	if !ok {
		return nil
	}
	hash := fnv.New64a()
	_, _ = hash.Write([]byte(identified.Identity()))
	c.server.Store(hash.Sum64())
	reply, err := c.store.Read(ctx, store.ReadRequest{
		Cells: []string{c.keys.namespaceCell()}, Fresh: c.fresh, CellTTL: c.cellTTL(),
	})
	if err != nil || c.renewOwed.Load() {
		return err
	}
	server, _, _ := strings.Cut(string(reply.Cells[0].Generation), "x")
	if server != strconv.FormatUint(hash.Sum64(), generationBase) {
		c.otherServer()
	}
	return nil
}
