package redisstore

import (
	"context"
	"fmt"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

func (s *session) mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	lease := number(millis(r.Lease))
	var commands []command
	for _, key := range r.Cells {
		commands = append(commands, s.fenced(call(markScript, key, r.Token, lease)))
	}
	for _, key := range r.Observe {
		commands = append(commands, getCell(key))
	}
	replies, err := s.replicate(ctx, commands)
	if err != nil {
		return nil, err
	}
	for _, key := range r.Cells {
		s.table.drop(key)
	}
	cells, foreign := make([]store.Cell, len(r.Observe)), 0
	for i := range r.Observe {
		cells[i] = cellOf(replies[len(r.Cells)+i], &foreign)
	}
	if err := s.fillIn(ctx, r.Observe, cells, r.Fresh, r.CellTTL); err != nil {
		return nil, err
	}
	return cells, nil
}

// post sends entries first: on one server whoever sees a generation taken here finds the
// entry written under it.
func (s *session) post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	ttl := number(millis(r.CellTTL))
	var commands []command
	for _, e := range r.Entries {
		commands = append(commands, setEntry(e.Key, e.Value, e.TTL))
	}
	for _, p := range r.Cells {
		commands = append(commands, s.fenced(call(postScript, p.Key, r.Token, string(p.Fresh), ttl)))
	}
	for _, b := range r.Bumps {
		absent := "0"
		if b.Absent {
			absent = "1"
		}
		commands = append(commands, s.fenced(call(bumpScript, b.Key, string(b.Known), absent, string(b.Fresh), ttl)))
	}
	replies, err := s.do(ctx, commands)
	if err != nil {
		return store.PostReply{}, err
	}
	reply := store.PostReply{Outcomes: make([]store.Outcome, 0, len(r.Cells)+len(r.Bumps))}
	for _, message := range replies[len(r.Entries):] {
		outcome, err := outcomeOf(message)
		if err != nil {
			return store.PostReply{}, err
		}
		reply.Outcomes = append(reply.Outcomes, outcome)
	}
	s.forget(r)
	return reply, nil
}

// forget ends promises that a push should have ended already. It is for the one case in
// which none comes: Redis 7.0 says nothing when a slot leaves a server, so that a promise
// made through the slot's former server would outlive our own write on its new one.
func (s *session) forget(r store.PostRequest) {
	for _, p := range r.Cells {
		s.table.correct(p.Key, p.Fresh)
	}
	for _, b := range r.Bumps {
		s.table.correct(b.Key, b.Fresh)
	}
}

// fenced fences a command where promises are given out.
func (s *session) fenced(c command) command {
	if s.near && c.wait == nil {
		return c.fence()
	}
	return c
}

func outcomeOf(m rueidis.RedisMessage) (store.Outcome, error) {
	n, err := m.AsInt64()
	if err != nil {
		return 0, fmt.Errorf("cachegen: redisstore: a script returned no number: %w", err)
	}
	if n < int64(store.Taken) || n > int64(store.Lost) {
		return 0, fmt.Errorf("cachegen: redisstore: a script returned %d, which is no outcome", n)
	}
	return store.Outcome(n), nil
}
