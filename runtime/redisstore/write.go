package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
	"github.com/redis/rueidis"
)

// run is one call of a script on one key.
type run struct {
	script script
	key    string
	args   []string
}

// Fill implements store.Store.
func (s *Store) Fill(ctx context.Context, r store.FillRequest) error {
	_, err := call(ctx, s, func(c rueidis.Client) (struct{}, error) {
		runs := make([]run, len(r.Renew))
		for i, key := range r.Renew {
			runs[i] = run{renew, key, []string{ms(r.CellTTL)}}
		}
		_, err := s.scripts(ctx, c, runs, []store.Entry{r.Entry}, nil)
		return struct{}{}, err
	})
	return err
}

// Mark implements store.Store.
func (s *Store) Mark(ctx context.Context, r store.MarkRequest) ([]store.Cell, error) {
	return call(ctx, s, func(c rueidis.Client) ([]store.Cell, error) {
		runs := make([]run, len(r.Cells))
		for i, key := range r.Cells {
			runs[i] = run{mark, key, []string{r.Token, ms(r.Lease)}}
		}
		var extra rueidis.Commands
		for _, key := range r.Observe {
			extra = append(extra, c.B().Get().Key(key).Build())
		}
		if len(runs)+len(extra) == 0 {
			return nil, nil
		}
		observed, err := s.scripts(ctx, c, runs, nil, extra)
		if err != nil {
			return nil, err
		}
		reply, err := s.reply(ctx, c, store.ReadRequest{Cells: r.Observe, Fresh: r.Fresh, CellTTL: r.CellTTL}, observed.extra, false)
		return reply.Cells, err
	})
}

// Post implements store.Store.
func (s *Store) Post(ctx context.Context, r store.PostRequest) (store.PostReply, error) {
	return call(ctx, s, func(c rueidis.Client) (store.PostReply, error) {
		runs := make([]run, 0, len(r.Cells)+len(r.Bumps))
		for _, p := range r.Cells {
			runs = append(runs, run{post, p.Key, []string{r.Token, string(p.Fresh), ms(r.CellTTL)}})
		}
		for _, b := range r.Bumps {
			absent := "0"
			if b.Absent {
				absent = "1"
			}
			runs = append(runs, run{bump, b.Key, []string{string(b.Known), absent, string(b.Fresh), ms(r.CellTTL)}})
		}
		done, err := s.scripts(ctx, c, runs, r.Entries, nil)
		return store.PostReply{Outcomes: done.outcomes}, err
	})
}

// replies are the results of scripts and of the commands sent along.
type replies struct {
	outcomes []store.Outcome
	extra    []rueidis.RedisResult
}

// scripts sends entries, then each script with its fence, then extra, in one round trip.
// Scripts that the server does not know are sent again by their text.
func (s *Store) scripts(ctx context.Context, c rueidis.Client, runs []run, entries []store.Entry, extra rueidis.Commands) (replies, error) {
	cmds := make(rueidis.Commands, 0, len(entries)+2*len(runs)+len(extra))
	for _, e := range entries {
		cmds = append(cmds, c.B().Set().Key(e.Key).Value(rueidis.BinaryString(e.Value)).Px(atLeastOne(e.TTL)).Build())
	}
	for _, r := range runs {
		cmds = append(cmds,
			c.B().Evalsha().Sha1(r.script.sha).Numkeys(1).Key(r.key).Arg(r.args...).Build(),
			c.B().Exists().Key(r.key).Build()) // the fence: its reply comes after the script's pushes
	}
	cmds = append(cmds, extra...)
	if len(cmds) == 0 {
		return replies{}, nil
	}
	results := c.DoMulti(ctx, cmds...)
	for _, res := range results[:len(entries)] {
		if err := res.Error(); err != nil {
			return replies{}, err
		}
	}
	out := replies{outcomes: make([]store.Outcome, len(runs)), extra: results[len(entries)+2*len(runs):]}
	var unknown []int
	for i := range runs {
		res, fence := results[len(entries)+2*i], results[len(entries)+2*i+1]
		if rerr, ok := rueidis.IsRedisErr(res.Error()); ok && rerr.IsNoScript() {
			unknown = append(unknown, i)
			continue
		}
		n, err := res.AsInt64()
		if err == nil {
			err = fence.Error()
		}
		if err != nil {
			return replies{}, err
		}
		out.outcomes[i] = store.Outcome(n)
	}
	return out, s.eval(ctx, c, runs, unknown, out.outcomes)
}

func (s *Store) eval(ctx context.Context, c rueidis.Client, runs []run, which []int, outcomes []store.Outcome) error {
	if len(which) == 0 {
		return nil
	}
	cmds := make(rueidis.Commands, 0, 2*len(which))
	for _, i := range which {
		r := runs[i]
		cmds = append(cmds,
			c.B().Eval().Script(r.script.text).Numkeys(1).Key(r.key).Arg(r.args...).Build(),
			c.B().Exists().Key(r.key).Build())
	}
	results := c.DoMulti(ctx, cmds...)
	for j, i := range which {
		n, err := results[2*j].AsInt64()
		if err == nil {
			err = results[2*j+1].Error()
		}
		if err != nil {
			return fmt.Errorf("script on %s: %w", runs[i].key, err)
		}
		outcomes[i] = store.Outcome(n)
	}
	return nil
}

func ms(d time.Duration) string { return strconv.FormatInt(atLeastOne(d).Milliseconds(), 10) }

// atLeastOne is the shortest life that Redis can express.
func atLeastOne(d time.Duration) time.Duration { return max(d, time.Millisecond) }
