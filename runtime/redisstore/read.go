package redisstore

import (
	"context"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

func (s *session) read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	if r.Near && s.near {
		return s.readNear(ctx, r)
	}
	var commands []command
	if r.Entry != "" {
		commands = append(commands, get(r.Entry))
	}
	for _, key := range r.Cells {
		commands = append(commands, get(key))
	}
	replies, err := s.do(ctx, commands)
	if err != nil {
		return store.ReadReply{}, err
	}
	var reply store.ReadReply
	if r.Entry != "" {
		reply.Entry, replies = entryOf(replies[0]), replies[1:]
	}
	reply.Cells = make([]store.Cell, len(r.Cells))
	for i := range r.Cells {
		reply.Cells[i] = cellOf(replies[i])
	}
	return reply, s.fillIn(ctx, r.Cells, reply.Cells, r.Fresh, r.CellTTL)
}

// readNear answers what it can from the table and asks for the entry and the rest in one
// round trip. The entry is read apart, untracked: nobody needs to be told of its changes.
func (s *session) readNear(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	reply := store.ReadReply{Cells: make([]store.Cell, len(r.Cells))}
	var unknown []int
	var keys []string
	for i, key := range r.Cells {
		cell, ok := s.table.get(key)
		if !ok {
			unknown, keys = append(unknown, i), append(keys, key)
			continue
		}
		reply.Cells[i] = cell
	}
	fetch := func() ([]rueidis.RedisMessage, error) { return nil, nil }
	if r.Entry != "" {
		fetch = func() ([]rueidis.RedisMessage, error) { return s.exchange(ctx, []command{get(r.Entry)}) }
	}
	var entry []rueidis.RedisMessage
	var err error
	if len(keys) == 0 {
		if entry, err = guard(ctx, fetch, nil); err != nil {
			return store.ReadReply{}, err
		}
	} else {
		beside := start(fetch)
		seen, err := s.follow(ctx, keys)
		if err != nil {
			return store.ReadReply{}, err
		}
		for k, i := range unknown {
			// The table, not the reply: a push may have come since, and a promise goes
			// with the generation it was made for.
			cell, ok := s.table.get(keys[k])
			if !ok {
				cell = cellOf(seen[k])
			}
			reply.Cells[i] = cell
		}
		if entry, err = await(ctx, beside, nil); err != nil {
			return store.ReadReply{}, err
		}
	}
	if len(entry) > 0 {
		reply.Entry = entryOf(entry[0])
	}
	if s.ended.Load() {
		return store.ReadReply{}, down(errReconnect)
	}
	return reply, s.fillIn(ctx, r.Cells, reply.Cells, r.Fresh, r.CellTTL)
}

// fillIn makes the cells that were found absent, with a fresh generation unless another
// reader was faster.
func (s *session) fillIn(ctx context.Context, keys []string, cells []store.Cell, fresh func() store.Generation, ttl time.Duration) error {
	var absent []int
	var commands []command
	for i, cell := range cells {
		if !cell.Marked && cell.Generation == "" {
			absent = append(absent, i)
			commands = append(commands, call(makeScript, keys[i], string(fresh()), number(millis(ttl))))
		}
	}
	replies, err := s.do(ctx, commands)
	if err != nil {
		return err
	}
	for k, i := range absent {
		cells[i] = cellOf(replies[k])
	}
	return nil
}

func (s *session) fill(ctx context.Context, r store.FillRequest) error {
	commands := []command{setEntry(r.Entry.Key, r.Entry.Value, r.Entry.TTL)}
	for _, key := range r.Renew {
		commands = append(commands, call(renewScript, key, number(millis(r.CellTTL))))
	}
	_, err := s.do(ctx, commands)
	return err
}

// cellOf reads a cell's value; the zero Cell is an absent one. What is no cell at all counts
// as absent, and is replaced.
func cellOf(m rueidis.RedisMessage) store.Cell {
	value := text(m)
	return store.Cell{Generation: generationOf(value), Marked: strings.HasPrefix(value, "m")}
}

// entryOf is never nil for an entry that exists, not even for one without bytes.
func entryOf(m rueidis.RedisMessage) []byte {
	if m.IsNil() {
		return nil
	}
	value, err := m.AsBytes()
	if err != nil || value == nil {
		return []byte{}
	}
	return value
}

// text is a reply as a string; "" for nil and for what is not a string.
func text(m rueidis.RedisMessage) string {
	value, err := m.ToString()
	if err != nil {
		return ""
	}
	return value
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
