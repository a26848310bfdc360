package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

// ErrNotReplicated reports that a mark stands on its primary but has not been acknowledged
// by as many replicas as Options.Replicas says. It does not wrap store.ErrDown, for the
// primary serves. A write that is refused when the store cannot be told is refused; any other
// goes on, under a marker that only a failover can lose.
var ErrNotReplicated = errors.New("cachegen: redisstore: a mark has not reached all replicas")

// maxWait bounds how long one WAIT may hold up the connection.
const maxWait = 500 * time.Millisecond

// restTime is for how long nobody waits for the replicas of a primary after a WAIT that has
// failed. WAIT holds up whatever else is sent over the connection, so that a replica which is
// gone would cost every reader the time-out of every writer.
const restTime = time.Second

// routes says to which primary a slot belongs, as the last probe saw it. The cluster client
// cannot be used for a mark that is waited for: it follows a redirection, and the WAIT would
// be answered by the server that had nothing to do with the mark.
type routes struct{ ranges []route }

type route struct {
	first, last int64
	node        *node
}

// node is one primary.
type node struct {
	client rueidis.Client
	behind *atomic.Int64 // nobody waits for its replicas before, and then one alone; Unix time in ns, 0: they keep up
}

// rest begins at the deadline of the WAIT that has failed.
func (n *node) rest(deadline time.Time) { n.behind.Store(deadline.Add(restTime).UnixNano()) }

// mayWait reports whether a mark with this deadline waits for the replicas.
func (n *node) mayWait(deadline time.Time) bool {
	behind := n.behind.Load()
	return behind == 0 || time.Now().UnixNano() >= behind &&
		n.behind.CompareAndSwap(behind, deadline.Add(restTime).UnixNano()) // the others wait for this one
}

// wait is a WAIT on its way.
type wait struct {
	replicas int
	deadline time.Time
}

// command is not made by the builder's own Wait, which rueidis sends over another connection,
// where it has nothing to wait for.
func (w *wait) command(b rueidis.Builder) rueidis.Completed {
	return b.Arbitrary("WAIT").Args(number(int64(w.replicas)), number(millis(w.timeout()))).Build()
}

// timeout is a third of the time that is left: an idle server notices the end of a WAIT up
// to 100 ms late (1/hz), and the answer has to come back.
func (w *wait) timeout() time.Duration { return min(maxWait, time.Until(w.deadline)/3) }

// remember keeps the routes that a probe has found.
func (s *session) remember(primaries []*server) {
	next := &routes{}
	for _, p := range primaries {
		behind, _ := s.behind.LoadOrStore(p.addr, new(atomic.Int64))
		n := &node{client: p.client, behind: behind.(*atomic.Int64)}
		if !s.cluster {
			n.client = s.client
			next.ranges = append(next.ranges, route{0, slots - 1, n})
			continue
		}
		for _, r := range p.shards {
			if r.primary == p.id {
				next.ranges = append(next.ranges, route{r.first, r.last, n})
			}
		}
	}
	s.routes.Store(next)
}

// nodeOf finds the primary of a key.
func (s *session) nodeOf(key string) (*node, error) {
	ranges := s.routes.Load().ranges
	if !s.cluster {
		return ranges[0].node, nil
	}
	command := s.client.B().Get().Key(key).Build()
	slot := int64(command.Slot())
	for _, r := range ranges {
		if r.first <= slot && slot <= r.last {
			return r.node, nil
		}
	}
	return nil, down(fmt.Errorf("redisstore: slot %d is served by nobody", slot))
}

// part is what of some commands goes to one primary.
type part struct {
	node     *node
	at       []int
	commands []command
	waits    bool
	done     <-chan result[[]rueidis.RedisMessage]
}

// replicate is do for marks: where the replicas are to be waited for it does so in the same
// pipeline, on the same connection, at each primary.
func (s *session) replicate(ctx context.Context, commands []command) ([]rueidis.RedisMessage, error) {
	if s.replicas == 0 {
		return s.do(ctx, commands)
	}
	if err := ctx.Err(); err != nil {
		return nil, down(err)
	}
	parts, err := s.split(commands)
	if err != nil {
		return nil, err
	}
	deadline, ok := ctx.Deadline()
	if !ok {
		deadline = time.Now().Add(3 * maxWait)
	}
	for _, p := range parts {
		if p.waits = p.node.mayWait(deadline); p.waits {
			p.commands = append(p.commands, command{wait: &wait{s.replicas, deadline}})
		}
		p.done = s.start(func() ([]rueidis.RedisMessage, error) { return s.exchange(ctx, p.node.client, p.commands) })
	}
	replies := make([]rueidis.RedisMessage, len(commands))
	var failed, behind error
	for _, p := range parts {
		got, err := await(ctx, p.done, nil)
		if err != nil {
			failed = err
			if p.waits && ctx.Err() != nil {
				p.node.rest(deadline)
			}
			continue
		}
		if err := s.acknowledged(p, got, deadline); err != nil {
			behind = err
		}
		for k, i := range p.at {
			replies[i] = got[k]
		}
	}
	if failed == nil {
		failed = behind
	}
	return replies, failed
}

func (s *session) split(commands []command) ([]*part, error) {
	var parts []*part
	of := map[*node]*part{}
	for i, c := range commands {
		n, err := s.nodeOf(c.key)
		if err != nil {
			return nil, err
		}
		p := of[n]
		if p == nil {
			p = &part{node: n}
			of[n] = p
			parts = append(parts, p)
		}
		p.at, p.commands = append(p.at, i), append(p.commands, c)
	}
	return parts, nil
}

// acknowledged looks at the reply to the WAIT of a part, which comes last.
func (s *session) acknowledged(p *part, replies []rueidis.RedisMessage, deadline time.Time) error {
	if !p.waits {
		return fmt.Errorf("%w: they were behind a moment ago", ErrNotReplicated)
	}
	got, err := replies[len(replies)-1].AsInt64()
	if err != nil {
		return fmt.Errorf("%w: WAIT: %w", ErrNotReplicated, err)
	}
	if got < int64(s.replicas) {
		p.node.rest(deadline)
		return fmt.Errorf("%w: %d of %d in time", ErrNotReplicated, got, s.replicas)
	}
	p.node.behind.Store(0)
	return nil
}

// judgeReplicas compares what a primary says about its replicas with Options.Replicas.
func judgeReplicas(info map[string]string, wanted int) []store.Finding {
	online := 0
	for name, value := range info {
		if strings.HasPrefix(name, "slave") && strings.Contains(value, "state=online") {
			online++
		}
	}
	switch {
	case online < wanted:
		return []store.Finding{{Code: "replicas", Degraded: true, Text: fmt.Sprintf("%d replicas are connected and Options.Replicas is %d: every mark fails, so that strict writes are refused and others go on unprotected; connect the replicas, or correct the option", online, wanted)}}
	case wanted > 0 && online > wanted:
		return []store.Finding{{Code: "replicas", Degraded: true, Text: fmt.Sprintf("%d replicas are connected and Options.Replicas is %d: a failover to one that was not waited for can lose the marker of a write in progress; set it to %d", online, wanted, online)}}
	case online > 0 && wanted == 0:
		return []store.Finding{{Code: "replicas", Text: fmt.Sprintf("%d replicas are connected and marks do not wait for them: a failover can lose the marker of a write in progress, and a value from before it then stays readable until the write ends; set Options.Replicas to %d where strict has to hold through a failover", online, online)}}
	}
	return nil
}
