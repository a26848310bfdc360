package redisstore

import (
	"context"
	"strconv"
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
		commands = append(commands, getEntry(r.Entry, r.MaxEntry))
	}
	for _, key := range r.Cells {
		commands = append(commands, getCell(key))
	}
	replies, err := s.do(ctx, commands)
	if err != nil {
		return store.ReadReply{}, err
	}
	reply := store.ReadReply{Cells: make([]store.Cell, len(r.Cells))}
	if r.Entry != "" {
		reply.Entry, replies = entryOf(replies[0], r.MaxEntry, &reply.Foreign), replies[1:]
	}
	for i := range r.Cells {
		reply.Cells[i] = cellOf(replies[i], &reply.Foreign)
	}
	return reply, s.fillIn(ctx, r.Cells, reply.Cells, r.Fresh, r.CellTTL)
}

// readNear asks for the entry and the cells that are not in the table, in one round trip. A
// cell that is in the table is taken from there, but only when a reply to something that was
// sent after the call began has come on the connection that feeds it: a push for a change
// made before the call stands in front of that reply.
//
//  1. the table holds generation g; another process destroys it; the push is on its way
//  2. a load reads what that process has committed, and hands it out
//  3. a read that took g from the table now would find the old entry valid
//
// The entry is read apart, untracked: nobody needs to be told of its changes.
func (s *session) readNear(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	var plain []command // the entry, and cells that are asked for to learn where the pushes stand
	if r.Entry != "" {
		plain = append(plain, getEntry(r.Entry, r.MaxEntry))
	}
	cells := make([]store.Cell, len(r.Cells))
	reply := store.ReadReply{Cells: cells}
	var unknown, doubted []int
	for i, key := range r.Cells {
		cell, ok := s.table.get(key)
		switch {
		case !ok:
			unknown = append(unknown, i)
		case r.Lagging:
			cells[i] = cell
		default:
			doubted = append(doubted, i)
		}
	}
	asked := doubted
	if !s.cluster { // one connection: any reply will do
		asked = doubted[:min(len(doubted), max(0, 1-len(plain)-len(unknown)))]
	}
	for _, i := range asked {
		plain = append(plain, getCell(r.Cells[i]))
	}
	replies, err := s.ask(ctx, r, plain, unknown, &reply)
	if err != nil {
		return store.ReadReply{}, err
	}
	if r.Entry != "" {
		reply.Entry, replies = entryOf(replies[0], r.MaxEntry, &reply.Foreign), replies[1:]
	}
	for k, i := range asked {
		cells[i] = cellOf(replies[k], &reply.Foreign)
		s.table.correct(r.Cells[i], cells[i].Generation)
	}
	var dropped []int
	for n, i := range doubted {
		if cell, ok := s.table.get(r.Cells[i]); ok {
			cells[i] = cell
		} else if n >= len(asked) {
			dropped = append(dropped, i)
		}
	}
	if _, err := s.ask(ctx, r, nil, dropped, &reply); err != nil {
		return store.ReadReply{}, err
	}
	if s.ended.Load() {
		return store.ReadReply{}, down(errReconnect)
	}
	return reply, s.fillIn(ctx, r.Cells, cells, r.Fresh, r.CellTTL)
}

// ask sends plain commands, whose replies it returns, and tracked reads of the cells of r
// that are named by index, which it writes to reply.
func (s *session) ask(ctx context.Context, r store.ReadRequest, plain []command, tracked []int, reply *store.ReadReply) ([]rueidis.RedisMessage, error) {
	if len(tracked) == 0 {
		return s.do(ctx, plain)
	}
	replies, seen, err := s.exchangeTracked(ctx, r, plain, tracked)
	if err != nil {
		return nil, err
	}
	for k, i := range tracked {
		// The table, not the reply: a push may have come since, and a promise goes with the
		// generation it was made for.
		cell, ok := s.table.get(r.Cells[i])
		if !ok {
			cell = cellOf(seen[k], &reply.Foreign)
		}
		reply.Cells[i] = cell
	}
	return replies, nil
}

// exchangeTracked is one pipeline on a single server, and makes absent cells in it. A cluster
// client takes tracked reads only apart from other commands.
func (s *session) exchangeTracked(ctx context.Context, r store.ReadRequest, plain []command, tracked []int) (replies, seen []rueidis.RedisMessage, err error) {
	if !s.cluster {
		ttl := number(millis(r.CellTTL))
		for _, i := range tracked {
			plain = append(plain, track(r.Cells[i], r.Fresh(), ttl))
		}
		if replies, err = s.do(ctx, plain); err != nil {
			return nil, nil, err
		}
		n := len(replies) - len(tracked)
		return replies[:n], replies[n:], nil
	}
	if len(plain) > 0 {
		beside := s.start(func() ([]rueidis.RedisMessage, error) { return s.exchange(ctx, s.client, plain) })
		defer func() {
			if err == nil {
				replies, err = await(ctx, beside, nil)
			}
		}()
	}
	names := make([]string, len(tracked))
	for k, i := range tracked {
		names[k] = r.Cells[i]
	}
	seen, err = s.follow(ctx, names)
	return nil, seen, err
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
		cells[i] = made(replies[k])
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

// text is a reply as a string; "" for nil and for what is not a string.
func text(m rueidis.RedisMessage) string {
	value, err := m.ToString()
	if err != nil {
		return ""
	}
	return value
}

func number(n int64) string { return strconv.FormatInt(n, 10) }
