package redisstore

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

// session is one client of the server from its first dial to the loss of its first
// connection. A lost connection is never replaced behind the store's back: what answers
// after that may be a server that has restarted from an old snapshot, or a replica that was
// promoted without the last invalidations. So the session ends, with all its promises, and
// Probe makes the next one and looks at the server first.
type session struct {
	client rueidis.Client
	table  *table
	// lost is told, once, when a session that was in use ends against our will.
	lost func(*session, error)
	// untracked says why near reads are plain reads; empty when they are tracked.
	untracked store.Finding
	near      bool
	cluster   bool // more than one connection
	replicas  int  // that marks wait for

	masters map[string]bool // addresses found by the probe; written before ready
	hearts  []heart         // of the primaries, where near; written before ready
	pulse   *pulse
	routes  atomic.Pointer[routes]
	behind  sync.Map    // of node, by address
	crew    crew        // runs the operations
	ready   atomic.Bool // found good by a probe
	ended   atomic.Bool
}

// connect makes a session that is not ready yet.
func connect(opt rueidis.ClientOption, o Options, p *pulse, lost func(*session, error)) (*session, error) {
	s := &session{table: newTable(o.MaxTracked), lost: lost, near: !o.Untracked, replicas: o.Replicas, crew: newCrew(), pulse: p}
	hook(&opt, s)
	client, err := rueidis.NewClient(opt)
	if errors.Is(err, rueidis.ErrNoCache) && s.near {
		s.near = false
		s.untracked = cannotTrack(err)
		opt.DisableCache = true
		closeClient(client)
		client, err = rueidis.NewClient(opt)
	}
	if err != nil {
		if s.ended.CompareAndSwap(false, true) {
			s.crew.dismiss()
		}
		closeClient(client)
		return nil, down(err)
	}
	s.client, s.cluster = client, client.Mode() == rueidis.ClientModeCluster
	return s, nil
}

func closeClient(client rueidis.Client) {
	if client != nil {
		go client.Close() // waits for a silent server
	}
}

// hook makes the client's connections report to s.
func hook(opt *rueidis.ClientOption, s *session) {
	opt.NewCacheStoreFn = func(rueidis.CacheStoreOption) rueidis.CacheStore {
		return &feed{session: s, proof: new(store.Proof), asked: map[string]int{}}
	}
	// Dials to Sentinels are told from those to servers by the dialer's resolver.
	sentinels := opt.Sentinel.MasterSet != ""
	resolver := &net.Resolver{}
	if theirs := opt.Sentinel.Dialer.Resolver; theirs != nil {
		resolver = &net.Resolver{PreferGo: theirs.PreferGo, StrictErrors: theirs.StrictErrors, Dial: theirs.Dial}
	}
	opt.Sentinel.Dialer.Resolver = resolver
	dial := dialer(opt)
	opt.DialFn = nil
	opt.DialCtxFn = func(ctx context.Context, addr string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
		if s.ready.Load() && d.Resolver != resolver && (sentinels || s.masters[addr]) {
			s.end(errReconnect)
		}
		if s.ended.Load() {
			return nil, errReconnect
		}
		return dial(ctx, addr, d, config)
	}
}

// dialer is how the user wants to dial, or how rueidis does it.
func dialer(opt *rueidis.ClientOption) func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
	switch withContext, plain := opt.DialCtxFn, opt.DialFn; {
	case withContext != nil:
		return withContext
	case plain != nil:
		return func(_ context.Context, addr string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
			return plain(addr, d, config)
		}
	}
	return func(ctx context.Context, addr string, d *net.Dialer, config *tls.Config) (net.Conn, error) {
		if config != nil {
			return (&tls.Dialer{NetDialer: d, Config: config}).DialContext(ctx, "tcp", addr)
		}
		return d.DialContext(ctx, "tcp", addr)
	}
}

// end ends the session and all its promises. It is idempotent and does not block.
func (s *session) end(err error) {
	if !s.ended.CompareAndSwap(false, true) {
		return
	}
	s.table.close()
	s.crew.dismiss()
	closeClient(s.client)
	if s.ready.Load() {
		s.lost(s, err)
	}
}

// command is one command on one key: a script, or what build makes.
type command struct {
	key    string
	build  func(b rueidis.Builder) rueidis.Completed
	script *script
	args   []string
	// fenced puts an EXISTS of the same key behind the command. Its reply stands behind the
	// invalidation that the command causes, which Redis sends after the command's own reply.
	fenced bool
	// wait makes it a WAIT for the replicas of the server it is sent to.
	wait *wait
	// tracked makes it a GETRANGE whose reply comes to the feed, and after which the server
	// reports changes; args are a generation and a TTL, with which an absent cell is made.
	tracked bool
}

func get(key string) command {
	return command{key: key, build: func(b rueidis.Builder) rueidis.Completed { return b.Get().Key(key).Build() }}
}

func setEntry(key string, value []byte, ttl time.Duration) command {
	text := string(value) // a copy: a command given up on may be written later
	return command{key: key, build: func(b rueidis.Builder) rueidis.Completed {
		return b.Set().Key(key).Value(text).PxMilliseconds(millis(ttl)).Build()
	}}
}

func call(s *script, key string, args ...string) command {
	return command{key: key, script: s, args: args}
}

func (c command) fence() command {
	c.fenced = true
	return c
}

// track reads a cell as a near read does, and makes it first where there is none. It is for a
// single server: a cluster client would send the three commands different ways.
func track(key string, fresh store.Generation, ttl string) command {
	return command{key: key, tracked: true, args: []string{"g" + string(fresh), ttl}}
}

// appendTo makes the command, with the script's hash or whole.
func (c command) appendTo(out []rueidis.Completed, b rueidis.Builder, whole bool) []rueidis.Completed {
	switch {
	case c.tracked:
		return append(out,
			b.Arbitrary("SET").Keys(c.key).Args(c.args[0], "PX", c.args[1], "NX").Build(),
			b.ClientCaching().Yes().Build(),
			rueidis.Completed(rangeOf(b, c.key).Cache().ToStaticTTL()))
	case c.wait != nil:
		return append(out, c.wait.command(b))
	case c.script == nil:
		out = append(out, c.build(b))
	case whole:
		out = append(out, b.Eval().Script(c.script.text).Numkeys(1).Key(c.key).Arg(c.args...).Build())
	default:
		out = append(out, b.Evalsha().Sha1(c.script.sha).Numkeys(1).Key(c.key).Arg(c.args...).Build())
	}
	if c.fenced {
		out = append(out, b.Exists().Key(c.key).Build())
	}
	return out
}

// do sends commands in one pipeline per server and returns a reply for each, once all have
// arrived. Scripts that a server does not know are sent again, whole.
func (s *session) do(ctx context.Context, commands []command) ([]rueidis.RedisMessage, error) {
	if len(commands) == 0 {
		return nil, nil
	}
	if err := ctx.Err(); err != nil {
		return nil, down(err)
	}
	return await(ctx, s.start(func() ([]rueidis.RedisMessage, error) { return s.exchange(ctx, s.client, commands) }), nil)
}

// exchange is do without a guard, through one of the session's clients.
func (s *session) exchange(ctx context.Context, client rueidis.Client, commands []command) ([]rueidis.RedisMessage, error) {
	sent := time.Now()
	results := s.send(ctx, client, commands, false)
	var unknown []int
	for i, r := range results {
		if commands[i].script == nil {
			if commands[i].wait != nil && len(unknown) > 0 {
				unknown = append(unknown, i) // it has not waited for what was not done
			}
			continue
		}
		if reply, ok := rueidis.IsRedisErr(r.Error()); ok && reply.IsNoScript() {
			unknown = append(unknown, i)
		}
	}
	if len(unknown) > 0 {
		again := make([]command, len(unknown))
		for k, i := range unknown {
			again[k] = s.fenced(commands[i]) // what followed it is not sent again
		}
		for k, r := range s.send(ctx, client, again, true) {
			results[unknown[k]] = r
		}
	}
	replies, err := s.replies(results)
	if err == nil {
		s.answered(sent)
	}
	return replies, err
}

// send returns a result for each command; the failure of a fence is its command's. On one
// connection whatever follows is a fence for all that stands before it, so that only a command
// at the end needs one of its own.
func (s *session) send(ctx context.Context, client rueidis.Client, commands []command, whole bool) []rueidis.RedisResult {
	b := client.B()
	if !s.cluster {
		for i := range commands[:max(0, len(commands)-1)] {
			commands[i].fenced = false
		}
	}
	pipeline := make([]rueidis.Completed, 0, 3*len(commands))
	for _, c := range commands {
		pipeline = c.appendTo(pipeline, b, whole)
	}
	all := client.DoMulti(ctx, pipeline...)
	results, at := make([]rueidis.RedisResult, len(commands)), 0
	for i, c := range commands {
		if c.tracked { // the reply to SET is of no interest: what it has not made is absent
			at++
			if all[at].Error() != nil {
				all[at+1] = all[at]
				s.table.drop(c.key) // the read may have been answered, but is not tracked
			}
			at++
		}
		results[i] = all[at]
		at++
		if c.fenced {
			if all[at].Error() != nil && results[i].Error() == nil {
				results[i] = all[at]
			}
			at++
		}
	}
	return results
}

// replies are the messages, or the first failure; that a key holds no string is none. Nothing
// that came over a connection which has been lost meanwhile is believed.
func (s *session) replies(results []rueidis.RedisResult) ([]rueidis.RedisMessage, error) {
	if s.ended.Load() {
		return nil, down(errReconnect)
	}
	replies := make([]rueidis.RedisMessage, len(results))
	for i, r := range results {
		message, err := r.ToMessage()
		if err := failure(err); err != nil && !wrongType(r.Error()) {
			return nil, err
		}
		replies[i] = message
	}
	return replies, nil
}

// follow reads cells in such a way that the server reports their changes.
func (s *session) follow(ctx context.Context, keys []string) ([]rueidis.RedisMessage, error) {
	return await(ctx, s.start(func() ([]rueidis.RedisMessage, error) {
		return s.followWith(ctx, s.client, keys)
	}), nil)
}

func (s *session) followWith(ctx context.Context, client rueidis.Client, keys []string) ([]rueidis.RedisMessage, error) {
	reads := make([]rueidis.CacheableTTL, len(keys))
	for i, key := range keys {
		reads[i] = rueidis.CT(rangeOf(client.B(), key).Cache().ToStaticTTL(), time.Hour)
	}
	return s.replies(client.DoMultiCache(ctx, reads...))
}

// millis is d in whole milliseconds, at least one.
func millis(d time.Duration) int64 {
	return max(1, int64((d+time.Millisecond-1)/time.Millisecond))
}
