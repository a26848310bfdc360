package redisstore

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// DefaultMaxTracked is the default of Options.MaxTracked.
const DefaultMaxTracked = 1_000_000

const (
	maxDialTimeout  = 500 * time.Millisecond
	connTimeout     = time.Second
	maxPingInterval = 500 * time.Millisecond // rueidis pings when nothing has come for one, or two
)

// Options are what the connection's own options do not say. The zero value is ready to use.
type Options struct {
	// MaxTracked bounds the number of cells about which promises are held in the process;
	// 0 means DefaultMaxTracked. A cell takes about 300 bytes besides its key. Too few cost
	// a round trip each. The server keeps a table of its own (tracking-table-max-keys, 1 M
	// by default).
	MaxTracked int
	// Untracked gives up promises: near reads become plain reads of one round trip. It is
	// for servers and proxies without client-side caching; where that is missing without
	// being announced here, Findings says so.
	Untracked bool
	// Replicas is how many replicas each primary has. A mark then waits for all of them
	// (WAIT), and fails with ErrNotReplicated where one is behind, so that no failover can
	// lose the marker of a write that went on. Less than all of them protects nothing: the one
	// that was not waited for may take over. 0 waits for none. What it costs stands in the
	// package comment.
	Replicas int
}

func (o Options) complete() (Options, error) {
	if o.MaxTracked < 0 {
		return o, errors.New("cachegen: redisstore: MaxTracked must not be negative")
	}
	if o.Replicas < 0 {
		return o, errors.New("cachegen: redisstore: Replicas must not be negative")
	}
	if o.MaxTracked == 0 {
		o.MaxTracked = DefaultMaxTracked
	}
	return o, nil
}

// connection checks the user's options against what the protocol needs and returns them with
// what it prescribes; the package comment gives the reasons.
func connection(opt rueidis.ClientOption, o Options) (rueidis.ClientOption, error) {
	if err := conflict(opt, o); err != nil {
		return opt, fmt.Errorf("cachegen: redisstore: %w", err)
	}
	opt.PipelineMultiplex = -1
	opt.BlockingPipeline = -1
	opt.AlwaysPipelining = true
	opt.DisableAutoPipelining = false
	opt.DisableRetry = true
	opt.ConnLifetime = 0
	opt.ConnWriteTimeout = connTimeout
	opt.DisableCache = o.Untracked
	opt.Dialer = impatient(opt.Dialer)
	opt.Sentinel.Dialer = impatient(opt.Sentinel.Dialer)
	return opt, nil
}

func conflict(opt rueidis.ClientOption, o Options) error {
	switch {
	case opt.SendToReplicas != nil || opt.ReplicaOnly || len(opt.Standalone.ReplicaAddress) > 0:
		return errors.New("SendToReplicas, ReplicaOnly and Standalone.ReplicaAddress read cells from replicas, which lag: leave them unset (use another client for other data)")
	case opt.NewCacheStoreFn != nil:
		return errors.New("NewCacheStoreFn is taken by the store itself: leave it unset")
	case (opt.DisableCache || opt.AlwaysRESP2) && !o.Untracked:
		return errors.New("DisableCache and AlwaysRESP2 take away near reads: leave them unset, or set Options.Untracked to do without")
	}
	for _, word := range opt.ClientTrackingOptions {
		if !strings.EqualFold(word, "OPTIN") {
			return fmt.Errorf("ClientTrackingOptions %q: with %s a write's own invalidation is lost or comes for every key: leave ClientTrackingOptions unset", opt.ClientTrackingOptions, word)
		}
	}
	if len(opt.InitAddress) == 0 {
		return errors.New("ClientOption.InitAddress is empty: name at least one server")
	}
	return nil
}

// impatient bounds how long a dial takes and how long silence goes unnoticed.
func impatient(d net.Dialer) net.Dialer {
	if d.Timeout <= 0 || d.Timeout > maxDialTimeout {
		d.Timeout = maxDialTimeout
	}
	if d.KeepAlive <= 0 || d.KeepAlive > maxPingInterval {
		d.KeepAlive = maxPingInterval
	}
	return d
}
