package redisstore

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"
)

// fake is as much of a Redis server as the store asks for, over net.Pipe, so that rueidis can
// run in a testing/synctest bubble: nothing but virtual time passes, and what a network does
// is at the test's command. It is no proof of what Redis does: the conformance suite runs on
// the real one. Like Redis it tracks keys that were read after CLIENT CACHING YES, and sends
// an invalidation behind the reply of the command that caused it.
type fake struct {
	t *testing.T

	mu     sync.Mutex
	run    string // run_id
	values map[string]fakeValue
	conns  []*fakeConn // live and dead
	mute   bool        // connections that come from now on are accepted and never answered
	calls  []string    // names of commands, in order
}

type fakeValue struct {
	text    string
	expires time.Time
}

// fakeConn is one connection from the server's side.
type fakeConn struct {
	f       *fake
	net     net.Conn
	out     chan string
	name    string          // of the client
	tracked map[string]bool // guarded by f.mu, as is all below
	optIn   bool
	mute    bool     // reads and answers nothing: half open
	held    []string // what has been sent and not arrived; nil: nothing is held up
	holds   bool     // keep it so
	deaf    string   // the command whose reply is lost together with the connection
}

func newFake(t *testing.T) *fake {
	return &fake{t: t, run: "first", values: map[string]fakeValue{}}
}

// store makes a store that is connected to f under a name.
func (f *fake) store(name string) *Store {
	f.t.Helper()
	s, err := New(rueidis.ClientOption{
		InitAddress: []string{"fake:6379"},
		DialCtxFn: func(context.Context, string, *net.Dialer, *tls.Config) (net.Conn, error) {
			return f.dial(name)
		},
	}, Options{})
	if err != nil {
		f.t.Fatal(err)
	}
	return s
}

func (f *fake) dial(name string) (net.Conn, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	ours, theirs := net.Pipe()
	c := &fakeConn{f: f, net: ours, out: make(chan string, 4096), name: name, tracked: map[string]bool{}, mute: f.mute}
	f.conns = append(f.conns, c)
	go c.read()
	go c.write()
	return theirs, nil
}

// each runs f on all connections of a client.
func (f *fake) each(name string, do func(c *fakeConn)) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		if c.name == name {
			do(c)
		}
	}
}

// silence makes the connections of a client half open: nothing is answered, nothing breaks.
func (f *fake) silence(name string) { f.each(name, func(c *fakeConn) { c.mute = true }) }

// hold keeps what is sent to a client from arriving until release or cut.
func (f *fake) hold(name string) { f.each(name, func(c *fakeConn) { c.holds = true }) }

func (f *fake) release(name string) {
	f.each(name, func(c *fakeConn) {
		c.holds = false
		for _, text := range c.held {
			c.out <- text
		}
		c.held = nil
	})
}

// cut breaks the connections of a client; what was held is lost.
func (f *fake) cut(name string) { f.each(name, func(c *fakeConn) { _ = c.net.Close() }) }

// loseReply breaks a client's connection when it has run the next command of that name.
func (f *fake) loseReply(name, command string) { f.each(name, func(c *fakeConn) { c.deaf = command }) }

// muteAll lets no connection be answered, neither those that stand nor those to come.
func (f *fake) muteAll(on bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.mute = on
	for _, c := range f.conns {
		c.mute = on
	}
}

// restart gives the server another run_id and the values of an earlier moment.
func (f *fake) restart(run string, values map[string]fakeValue) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.run, f.values = run, values
	for _, c := range f.conns {
		_ = c.net.Close()
	}
}

func (f *fake) snapshot() map[string]fakeValue {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := map[string]fakeValue{}
	for k, v := range f.values {
		out[k] = v
	}
	return out
}

// close ends all connections.
func (f *fake) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.conns {
		_ = c.net.Close()
	}
}

func (c *fakeConn) write() {
	for text := range c.out {
		if _, err := io.WriteString(c.net, text); err != nil {
			return
		}
	}
}

func (c *fakeConn) read() {
	defer func() {
		c.f.mu.Lock()
		defer c.f.mu.Unlock()
		clear(c.tracked)
		c.mute = true // nothing is sent any more
		close(c.out)
	}()
	r := bufio.NewReader(c.net)
	for {
		args, err := parseCommand(r)
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrClosedPipe) {
				c.f.t.Errorf("fake: %v", err)
			}
			return
		}
		c.handle(args)
	}
}

func parseCommand(r *bufio.Reader) ([]string, error) {
	number := func(mark byte) (int, error) {
		line, err := r.ReadString('\n')
		if err != nil {
			return 0, err
		}
		if line[0] != mark {
			return 0, fmt.Errorf("%q instead of %q", line, mark)
		}
		return strconv.Atoi(strings.TrimSpace(line[1:]))
	}
	n, err := number('*')
	if err != nil {
		return nil, err
	}
	args := make([]string, n)
	for i := range args {
		size, err := number('$')
		if err != nil {
			return nil, err
		}
		text := make([]byte, size+2)
		if _, err := io.ReadFull(r, text); err != nil {
			return nil, err
		}
		args[i] = string(text[:size])
	}
	return args, nil
}

// handle runs a command, and sends its reply and behind it the pushes that it has caused.
func (c *fakeConn) handle(args []string) {
	f := c.f
	f.mu.Lock()
	defer f.mu.Unlock()
	f.calls = append(f.calls, c.name+" "+args[0])
	if c.mute {
		return
	}
	reply, changed := c.run(args)
	if c.deaf != "" && strings.EqualFold(args[0], c.deaf) {
		c.deaf, c.mute = "", true
		_ = c.net.Close()
	}
	c.send(reply)
	if changed != "" {
		f.push(changed)
	}
}

func (c *fakeConn) send(text string) {
	switch {
	case c.mute:
	case c.holds:
		c.held = append(c.held, text)
	default:
		c.out <- text
	}
}

func (f *fake) push(key string) {
	for _, c := range f.conns {
		if c.tracked[key] {
			delete(c.tracked, key)
			c.send(">2\r\n" + bulk("invalidate") + "*1\r\n" + bulk(key))
		}
	}
}

func bulk(s string) string { return fmt.Sprintf("$%d\r\n%s\r\n", len(s), s) }

const (
	ok     = "+OK\r\n"
	absent = "_\r\n"
)

// run returns the reply, and the key that has changed.
func (c *fakeConn) run(args []string) (reply, changed string) {
	f := c.f
	switch name := strings.ToUpper(args[0]); name {
	case "HELLO":
		return "%3\r\n" + bulk("server") + bulk("redis") + bulk("version") + bulk("7.2.0") + bulk("proto") + ":3\r\n", ""
	case "CLIENT":
		if strings.EqualFold(args[1], "CACHING") {
			c.optIn = true
		}
		return ok, ""
	case "PING":
		if len(args) > 1 {
			return bulk(args[1]), ""
		}
		return "+PONG\r\n", ""
	case "INFO":
		return bulk("redis_version:7.2.0\r\nrole:master\r\nloading:0\r\nmaxmemory_policy:noeviction\r\nrun_id:" + f.run + "\r\n"), ""
	case "GETRANGE":
		if c.optIn {
			c.tracked[args[1]], c.optIn = true, false
		}
		end, _ := strconv.Atoi(args[3]) // from 0 on, as the store asks
		text := f.values[args[1]].text
		return bulk(text[:min(len(text), end+1)]), ""
	case "EXISTS":
		if _, there := f.values[args[1]]; there {
			return ":1\r\n", ""
		}
		return ":0\r\n", ""
	case "SET":
		return f.setCommand(args)
	case "EVALSHA", "EVAL":
		return f.script(args)
	case "CLUSTER":
		return "-ERR This instance has cluster support disabled\r\n", ""
	default:
		f.t.Errorf("fake: unknown command %q", args)
		return "-ERR unknown command\r\n", ""
	}
}

func (f *fake) setCommand(args []string) (reply, changed string) {
	unit := time.Millisecond
	var life time.Duration
	for i, a := range args[3:] {
		switch strings.ToUpper(a) {
		case "EX", "PX":
			if strings.EqualFold(a, "EX") {
				unit = time.Second
			}
			n, _ := strconv.Atoi(args[3+i+1])
			life = time.Duration(n) * unit
		case "NX":
			if _, there := f.values[args[1]]; there {
				return absent, ""
			}
		}
	}
	f.set(args[1], args[2], life)
	return ok, args[1]
}

// set writes a value that expires by virtual time; who has read it is told then.
func (f *fake) set(key, text string, life time.Duration) {
	expires := time.Now().Add(life)
	f.values[key] = fakeValue{text, expires}
	time.AfterFunc(life, func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		if v := f.values[key]; v.expires.Equal(expires) {
			delete(f.values, key)
			f.push(key)
		}
	})
}

// script does what the Lua scripts say they do.
func (f *fake) script(args []string) (reply, changed string) {
	key, argv := args[3], args[4:]
	value, held := f.values[key]
	var list []fakeMarker
	if held && value.text[0] == 'm' {
		list = parseMarkers(value.text)
	}
	isGeneration := held && value.text[0] == 'g'
	generation := func(g, ms string) {
		n, _ := strconv.Atoi(ms)
		f.set(key, "g"+g, time.Duration(n)*time.Millisecond)
	}
	switch name := args[1]; {
	case is(name, makeScript):
		if len(list) > 0 || isGeneration {
			return bulk(value.text), ""
		}
		generation(argv[0], argv[1])
		return bulk("g" + argv[0]), key
	case is(name, markScript):
		n, _ := strconv.Atoi(argv[1])
		expires := time.Now().Add(time.Duration(n) * time.Millisecond)
		if i := slices.IndexFunc(list, func(m fakeMarker) bool { return m.token == argv[0] }); i >= 0 {
			list[i].expires = latest(list[i].expires, expires)
		} else {
			meet(list)
			list = append(list, fakeMarker{argv[0], expires, len(list) > 0})
		}
		f.markers(key, list)
		return ":0\r\n", key
	case is(name, postScript):
		i := slices.IndexFunc(list, func(m fakeMarker) bool { return m.token == argv[0] })
		own := i >= 0
		alone := own && !list[i].met
		if own {
			list = slices.Delete(list, i, i+1)
		}
		switch {
		case len(list) > 0 && own:
			f.markers(key, list)
			return ":3\r\n", key
		case len(list) > 0:
			meet(list)
			f.markers(key, list)
			return ":4\r\n", key
		case alone:
			generation(argv[1], argv[2])
			return ":1\r\n", key
		}
		generation(argv[1]+"r", argv[2])
		if own {
			return ":2\r\n", key
		}
		return ":4\r\n", key
	case is(name, bumpScript):
		switch {
		case len(list) > 0:
			meet(list)
			f.markers(key, list)
			return ":3\r\n", key
		case !isGeneration && argv[1] == "1", isGeneration && argv[0] != "" && value.text == "g"+argv[0]:
			generation(argv[2], argv[3])
			return ":1\r\n", key
		}
		generation(argv[2]+"r", argv[3])
		return ":2\r\n", key
	case is(name, renewScript):
		n, _ := strconv.Atoi(argv[0])
		if life := time.Duration(n) * time.Millisecond; isGeneration && time.Until(value.expires) < life/2 {
			f.set(key, value.text, life)
			return ":0\r\n", key
		}
		return ":0\r\n", ""
	default:
		return "-NOSCRIPT No matching script\r\n", ""
	}
}

// is accepts a script by its hash or whole.
func is(name string, s *script) bool { return name == s.sha || name == s.text }

type fakeMarker struct {
	token   string
	expires time.Time
	met     bool
}

func parseMarkers(text string) (list []fakeMarker) {
	for part := range strings.SplitSeq(strings.TrimSuffix(text[1:], ";"), ";") {
		fields := strings.Split(part, ",")
		ms, _ := strconv.ParseInt(fields[1], 10, 64)
		if m := (fakeMarker{fields[0], time.UnixMilli(ms), fields[2] == "1"}); time.Now().Before(m.expires) {
			list = append(list, m)
		}
	}
	return list
}

func (f *fake) markers(key string, list []fakeMarker) {
	var b strings.Builder
	b.WriteByte('m')
	var last time.Time
	for _, m := range list {
		met := "0"
		if m.met {
			met = "1"
		}
		fmt.Fprintf(&b, "%s,%d,%s;", m.token, m.expires.UnixMilli(), met)
		last = latest(last, m.expires)
	}
	f.set(key, b.String(), time.Until(last))
}

func meet(list []fakeMarker) {
	for i := range list {
		list[i].met = true
	}
}

func latest(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}
