package redisstore_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/redisstore"
	"github.com/cachegen/cachegen/runtime/store"
)

func TestWhatIsFound(t *testing.T) {
	restricted := func(t *testing.T, rules ...string) rueidis.ClientOption {
		srv := testserver.Redis(t)
		must(t, srv, append([]string{"ACL", "SETUSER", "app", "on", ">secret"}, rules...)...)
		return rueidis.ClientOption{InitAddress: []string{srv.Addr}, Username: "app", Password: "secret"}
	}
	server := func(args ...string) func(*testing.T) rueidis.ClientOption {
		return func(t *testing.T) rueidis.ClientOption {
			return rueidis.ClientOption{InitAddress: []string{testserver.Redis(t, args...).Addr}}
		}
	}
	for _, c := range []struct {
		name     string
		server   func(*testing.T) rueidis.ClientOption
		options  redisstore.Options
		code     string // "" none
		degraded bool
		unsafe   bool
		text     string
		promises bool
	}{
		{name: "all is well", server: server(), promises: true},
		{name: "allkeys", server: server("--maxmemory-policy", "allkeys-lru"), code: "eviction", degraded: true, unsafe: true, text: "set noeviction", promises: true},
		{name: "volatile, and memory is bounded", server: server("--maxmemory-policy", "volatile-ttl", "--maxmemory", "100mb"), code: "eviction", degraded: true, unsafe: true, text: "volatile-ttl", promises: true},
		{name: "volatile", server: server("--maxmemory-policy", "volatile-ttl"), code: "eviction", text: "volatile-ttl", promises: true},
		{name: "no RESP3", server: server("--rename-command", "HELLO", ""), code: "resp3", degraded: true, text: "RESP3"},
		{name: "no CLIENT", server: server("--rename-command", "CLIENT", ""), code: "tracking", degraded: true, text: "refuses"},
		{
			name:   "no CLIENT TRACKING for the user",
			server: func(t *testing.T) rueidis.ClientOption { return restricted(t, "~*", "+@all", "-client|tracking") },
			code:   "tracking", degraded: true, text: "allow CLIENT TRACKING",
		},
		{
			name:   "no room for the self-test",
			server: func(t *testing.T) rueidis.ClientOption { return restricted(t, "~ns:*", "+@all") },
			code:   "tracking", degraded: true, text: "~cachegen-probe:*",
		},
		{
			name: "the least a user needs",
			server: func(t *testing.T) rueidis.ClientOption {
				return restricted(t, "~ns:*", "~cachegen-probe:*", "+getrange", "+set", "+exists", "+time", "+pttl", "+pexpire",
					"+evalsha", "+eval", "+info", "+ping", "+hello", "+client")
			},
			promises: true,
		},
		{name: "untracked by choice", server: server(), options: redisstore.Options{Untracked: true}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, err := redisstore.New(c.server(t), c.options)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if _, err := s.Probe(within(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			findings := s.Findings()
			if c.code == "" && len(findings) > 0 {
				t.Errorf("findings %+v, want none", findings)
			}
			if c.code != "" && !slices.ContainsFunc(findings, func(f store.Finding) bool {
				return f.Code == c.code && f.Degraded == c.degraded && f.Unsafe == c.unsafe && strings.Contains(f.Text, c.text)
			}) {
				t.Errorf("findings %+v, want %s with %q", findings, c.code, c.text)
			}
			var got store.Cell
			for range 3 {
				reply, err := read(s, "ns:{a}")
				if err != nil {
					t.Fatal(err)
				}
				got = reply.Cells[0]
			}
			if got.Generation != "fresh" || (got.Live != nil) != c.promises {
				t.Errorf("a near read: %+v, want a promise: %v", got, c.promises)
			}
			bump := store.PostRequest{Bumps: []store.BumpCell{{Key: "ns:{a}", Known: "fresh", Fresh: "next"}}, CellTTL: time.Hour}
			if reply, err := s.Post(within(t, 5*time.Second), bump); err != nil || reply.Outcomes[0] != store.Taken {
				t.Errorf("Post: %v, %v", reply, err)
			}
			if got.Live != nil && got.Live.Alive() {
				t.Error("the promise is alive after Post")
			}
			if reply, err := read(s, "ns:{a}"); err != nil || reply.Cells[0].Generation != "next" {
				t.Errorf("our own write, read near: %+v, %v", reply, err)
			}
		})
	}
}

func TestAReplicaIsRefused(t *testing.T) {
	primary := testserver.Redis(t)
	replica := testserver.Redis(t, "--replicaof", strings.Replace(primary.Addr, ":", " ", 1))
	s := unprobed(t, replica.Addr)
	_, err := s.Probe(within(t, 10*time.Second))
	if !errors.Is(err, store.ErrDown) || !strings.Contains(err.Error(), "a replica, not a primary") {
		t.Errorf("Probe of a replica: %v", err)
	}
	if _, err := read(s, "ns:{a}"); !errors.Is(err, store.ErrDown) {
		t.Errorf("Read from a replica: %v, want ErrDown", err)
	}
}

func TestConnectionOptionsOfTheUser(t *testing.T) {
	srv := testserver.Redis(t)
	for name, opt := range map[string]rueidis.ClientOption{
		"many connections":     {PipelineMultiplex: 2},
		"a pool":               {DisableAutoPipelining: true},
		"small pipelines":      {BlockingPipeline: 2},
		"short-lived":          {ConnLifetime: time.Millisecond},
		"no pings":             {ConnWriteTimeout: time.Hour},
		"optin said aloud":     {ClientTrackingOptions: []string{"optin"}},
		"a client of one node": {ForceSingleClient: true},
	} {
		t.Run(name, func(t *testing.T) {
			opt.InitAddress = []string{srv.Addr}
			s, err := redisstore.New(opt, redisstore.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = s.Close() }()
			if _, err := s.Probe(within(t, 10*time.Second)); err != nil {
				t.Fatal(err)
			}
			if len(s.Findings()) > 0 {
				t.Errorf("%+v", s.Findings())
			}
			for range 300 {
				promise := live(t, s, "ns:{a}")
				if _, err := s.Post(within(t, 5*time.Second), store.PostRequest{Bumps: []store.BumpCell{{Key: "ns:{a}", Fresh: "f"}}, CellTTL: time.Hour}); err != nil {
					t.Fatal(err)
				}
				if promise.Alive() {
					t.Fatal("the promise is alive after Post")
				}
			}
		})
	}
}
