package redisstore

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

const withoutTracking = "near reads become plain reads of one round trip each, everything else holds"

// cannotTrack says why a connection for client-side caching could not be made.
func cannotTrack(err error) store.Finding {
	if err == rueidis.ErrNoCache { //nolint:errorlint // the bare error means RESP2, a wrapped one that CLIENT was refused
		return store.Finding{Code: "resp3", Degraded: true, Text: "the server or a proxy before it does not speak RESP3 (HELLO 3), without which it cannot report changes: " + withoutTracking + "; use Redis 6 or later and connect to it directly"}
	}
	return store.Finding{Code: "tracking", Degraded: true, Text: fmt.Sprintf("the server refuses client-side caching: %s; allow CLIENT TRACKING and CLIENT CACHING to the user. The server said: %v", withoutTracking, err)}
}

// tryTracking does on one primary what a near read and a write do, and looks whether the
// promise had ended when the fence was answered.
func (s *session) tryTracking(ctx context.Context, n *server) (store.Finding, error) {
	key := s.probeKey(n)
	failed := func(why string) store.Finding {
		return store.Finding{Code: "tracking", Degraded: true, Text: "client-side caching does not work: " + why + "; " + withoutTracking}
	}
	set := func(value string) rueidis.Completed {
		return n.client.B().Set().Key(key).Value(value).ExSeconds(10).Build()
	}
	if err := n.client.Do(ctx, set("gone")).Error(); err != nil {
		return denied(err, failed("the user may not write "+key+" (allow ~cachegen-probe:*)"))
	}
	if _, err := s.followWith(ctx, n.client, []string{key}); err != nil {
		return denied(err, failed("CLIENT CACHING is refused"))
	}
	cell, ok := s.table.get(key)
	feed := s.table.owner(key)
	if !ok || feed == nil {
		return failed("a tracked read left no trace"), nil
	}
	for _, r := range n.client.DoMulti(ctx, set("gtwo"), n.client.B().Exists().Key(key).Build()) {
		if err := r.Error(); err != nil {
			return denied(err, failed("the user may not read and write "+key+" (allow ~cachegen-probe:*)"))
		}
	}
	if cell.Live.Alive() {
		return failed("a change was not reported before the reply to the next command; a proxy that does not keep RESP3 connections apart does that"), nil
	}
	if !s.ready.Load() { // they stay the same while it is in use: it ends with any of its connections
		s.hearts = append(s.hearts, heart{feed, n.client})
	}
	return store.Finding{}, nil
}

// denied tells a server that refuses from one that does not answer, or cannot write at the
// moment.
func denied(err error, f store.Finding) (store.Finding, error) {
	var reply *rueidis.RedisError
	if errors.As(err, &reply) && !errors.Is(failure(err), store.ErrDown) &&
		!strings.HasPrefix(reply.Error(), "OOM") && !strings.HasPrefix(reply.Error(), "MISCONF") {
		f.Text += ". The server said: " + reply.Error()
		return f, nil
	}
	return store.Finding{}, down(err)
}

// probeKey is a key that nobody else uses, in a slot of this server.
func (s *session) probeKey(n *server) string {
	unique := rand.Text()
	for i := 0; ; i++ {
		key := "cachegen-probe:{" + unique + number(int64(i)) + "}"
		if n.own == nil {
			return key
		}
		command := s.client.B().Get().Key(key).Build()
		if slot := int64(command.Slot()); n.own.first <= slot && slot <= n.own.last {
			return key
		}
	}
}

// judge says what is to be known about a primary.
func judge(info map[string]string) (out []store.Finding) {
	switch policy := info["maxmemory_policy"]; {
	case strings.HasPrefix(policy, "allkeys-"):
		out = append(out, store.Finding{Code: "eviction", Degraded: true, Unsafe: true, Text: "maxmemory-policy is " + policy + ": when memory is full the marker of a write in progress can be evicted, and a value from before it then stays readable until the write ends, or until its TTL if the writer dies; set noeviction and enough memory, or give the cache a server of its own that never fills up"})
	case strings.HasPrefix(policy, "volatile-"):
		bounded := info["maxmemory"] != "0" // else nothing is evicted, as yet
		out = append(out, store.Finding{Code: "eviction", Degraded: bounded, Unsafe: bounded, Text: "maxmemory-policy is " + policy + ": entries and cells all carry a TTL, so when memory is full markers of writes in progress can be evicted as under allkeys; watch evicted_keys, or set noeviction"})
	case policy == "":
		out = append(out, store.Finding{Code: "eviction", Text: "INFO does not show maxmemory-policy: make sure that it is noeviction"})
	}
	switch version := info["redis_version"]; {
	case older(version, 7, 0):
		out = append(out, store.Finding{Code: "version", Text: "Redis " + version + ": tested with 7.0 and later; upgrade when you can"})
	case info["cluster_enabled"] == "1" && older(version, 7, 2):
		out = append(out, store.Finding{Code: "cluster", Text: "Redis " + version + " does not report the loss of a slot to the clients that have read from it: after resharding a process may serve a near value for as long as NearTTL; upgrade to 7.2, or keep NearTTL short while resharding"})
	}
	return out
}

// older compares major and minor; what cannot be read is not old.
func older(version string, major, minor int) bool {
	var a, b int
	if n, _ := fmt.Sscanf(version, "%d.%d", &a, &b); n < 2 {
		return false
	}
	return a < major || a == major && b < minor
}
