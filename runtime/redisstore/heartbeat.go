package redisstore

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// A connection that hangs, to a server that is frozen or through a network that swallows,
// looks alive for two to three seconds, and so do the promises it feeds. What says how far behind it may
// be is the proof of its feed: the time at which the last command that it has answered was sent.
// The reply stands behind every push that the server had queued before, and rueidis hands both
// on in the order in which they came; so what was changed before that time is known here.
//
//  1. the heartbeat is sent, at time t
//  2. another process marks a cell; the push is on its way
//  3. the reply comes; the push does not, for a long time
//
// That is why the time is taken before the command is handed to rueidis, not when its reply
// comes: in 3 the proof would cover the change of 2, of which nothing is known here.

// heartbeat is what a PING says that is one.
const heartbeat = "cachegen"

// heart proves one connection: that of a primary, on which feed is told of changes. The client
// has no other one, and a session ends before it gets another one (see hook).
type heart struct {
	feed   *feed
	client rueidis.Client
}

// beat sends one heartbeat. A reply that comes later than within is of no use to anybody.
func (h heart) beat(within time.Duration) {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	sent := time.Now()
	if h.client.Do(ctx, h.client.B().Ping().Message(heartbeat).Build()).Error() == nil {
		h.feed.proof.Renew(sent)
	}
}

// answered is told of commands sent at the given time or later, to which the replies have come.
// Where there is one connection they are as good as a heartbeat.
func (s *session) answered(sent time.Time) {
	if !s.cluster && len(s.hearts) == 1 {
		s.hearts[0].feed.proof.Renew(sent)
	}
}

// keepProof sends heartbeats until the session ends, so often that two may be late before a
// proof is. What is not answered leaves the proof as it is, and it grows old.
func (s *session) keepProof(h heart) {
	for {
		within, less := s.pulse.get()
		var next <-chan time.Time
		if within > 0 {
			h.beat(within)
			next = time.After(max(within/3, time.Millisecond))
		}
		select {
		case <-next:
		case <-less:
		case <-s.crew.over:
			return
		}
	}
}

// pulse is how young the sessions of a store are to keep their proofs.
type pulse struct {
	mu     sync.Mutex
	within time.Duration // 0: nobody wants to know; guarded by mu
	less   chan struct{} // closed when within becomes less; guarded by mu
}

func newPulse() *pulse { return &pulse{less: make(chan struct{})} }

func (p *pulse) get() (within time.Duration, less <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.within, p.less
}

func (p *pulse) ask(within time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if within <= 0 || p.within > 0 && p.within <= within {
		return
	}
	p.within = within
	close(p.less)
	p.less = make(chan struct{})
}

// Prove implements store.Store: a heartbeat on the connection to each primary, sent three times
// within the given time. Promises lag behind the changes of other processes by as long as the
// push takes.
func (s *Store) Prove(within time.Duration) (lags bool) {
	s.pulse.ask(within)
	return true
}
