package redisstore

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/runtime/storetest"
)

// scripted is one cell on a real server. Its scripts are those of the store, but for the clock,
// which they are given as their last argument, in seconds.
type scripted struct {
	t   *testing.T
	ctx context.Context
	s   *session
	key string
}

func clocked(s *script) *script {
	const clock = "redis.call('TIME')"
	if strings.Count(s.text, clock) != 1 {
		panic("the script does not ask for the time once")
	}
	return newScript(strings.Replace(s.text, clock, "{tonumber(ARGV[#ARGV]), 0}", 1))
}

var makeClocked, markClocked, postClocked, bumpClocked = clocked(makeScript), clocked(markScript), clocked(postScript), clocked(bumpScript)

func (c scripted) call(s *script, args ...string) string {
	replies, err := c.s.do(c.ctx, []command{call(s, c.key, args...)})
	if err != nil {
		c.t.Fatal(err)
	}
	if n, err := replies[0].AsInt64(); err == nil {
		return number(n)
	}
	return text(replies[0])
}

func (c scripted) Step(s storetest.Step) string {
	now, ttl, absent := number(s.Now/1000), "36000000000", "0"
	if s.Absent {
		absent = "1"
	}
	switch s.Op {
	case "read":
		c.call(makeClocked, string(s.Fresh), ttl, now)
		return c.State(s.Now)
	case "mark":
		c.call(markClocked, s.Token, number(s.Lease), now)
		return ""
	case "post":
		return c.call(postClocked, s.Token, string(s.Fresh), ttl, now)
	case "bump":
		return c.call(bumpClocked, string(s.Known), absent, string(s.Fresh), ttl, now)
	}
	if r := c.s.client.Do(c.ctx, c.s.client.B().Del().Key(c.key).Build()); r.Error() != nil {
		c.t.Fatal(r.Error())
	}
	return ""
}

func (c scripted) State(now int64) string {
	replies, err := c.s.do(c.ctx, []command{get(c.key)})
	if err != nil {
		c.t.Fatal(err)
	}
	value := text(replies[0])
	if value == "" || value[0] == 'g' {
		return map[bool]string{true: "absent", false: value}[value == ""]
	}
	var list []storetest.Marker
	for m := range strings.SplitSeq(strings.TrimSuffix(value[1:], ";"), ";") {
		parts := strings.Split(m, ",")
		if len(parts) != 3 {
			c.t.Fatalf("%q in %q", m, value)
		}
		until, err := strconv.ParseInt(parts[1], 10, 64)
		if err != nil {
			c.t.Fatal(err)
		}
		list = append(list, storetest.Marker{Token: parts[0], Until: until, Met: parts[2] == "1"})
	}
	return storetest.Markers(now, list)
}

// The Lua scripts and the model agree step by step, on the schedules that memory runs, too.
func TestScriptsAgreeWithTheModel(t *testing.T) {
	ctx, _, current := probed(t)
	n := 0
	storetest.Agree(t, 100, 100, func() storetest.Cell {
		n++
		return scripted{t, ctx, current, fmt.Sprintf("ns:{%d}", n)}
	})
}
