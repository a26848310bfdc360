package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

// inspection is what a probe saw.
type inspection struct {
	servers  map[string]bool // run ids of the primaries
	findings []store.Finding
}

// server is one node as it describes itself.
type server struct {
	addr   string
	client rueidis.Client
	info   map[string]string // of INFO and, in a cluster, CLUSTER INFO
	id     string            // in a cluster
	shards []shard           // in a cluster: all of them, as this node sees it
	own    *shard            // in a cluster: one that this node is the primary of
	err    error
}

// shard is a range of slots with the id of its primary.
type shard struct {
	first, last int64
	primary     string
}

const slots = 16384

// inspect asks every node about itself, picks the primaries and tests them.
func (s *session) inspect(ctx context.Context) (inspection, error) {
	primaries, findings, err := s.primaries(s.describe(ctx))
	if err != nil {
		return inspection{}, err
	}
	seen := inspection{servers: map[string]bool{}, findings: findings}
	for _, p := range primaries {
		seen.servers[p.info["run_id"]] = true
		seen.add(p.addr, judge(p.info)...)
		seen.add(p.addr, judgeReplicas(p.info, s.replicas)...)
	}
	s.remember(primaries)
	if !s.ready.Load() {
		s.masters = map[string]bool{}
		for _, p := range primaries {
			s.masters[p.addr] = true
		}
	}
	if err := s.trackingOf(ctx, primaries); err != nil {
		return inspection{}, err
	}
	if s.untracked.Code != "" {
		seen.findings = append(seen.findings, s.untracked)
	}
	return seen, nil
}

// trackingOf tests client-side caching on primaries. A session that is in use cannot do without
// from one moment to the next: it ends, and the next one is made without.
func (s *session) trackingOf(ctx context.Context, primaries []*server) error {
	for _, p := range primaries {
		if !s.near {
			return nil
		}
		finding, err := s.tryTracking(ctx, p)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", p.addr, err)
		case finding.Code == "":
		case s.ready.Load():
			return fmt.Errorf("%s: %s", p.addr, finding.Text)
		default:
			s.near = false
			finding.Text = p.addr + ": " + finding.Text
			s.untracked = finding
		}
	}
	return nil
}

// add adds findings, each once however many servers it is true of.
func (i *inspection) add(addr string, findings ...store.Finding) {
	for _, f := range findings {
		known := false
		for _, have := range i.findings {
			known = known || strings.HasSuffix(have.Text, f.Text)
		}
		if !known {
			f.Text = addr + ": " + f.Text
			i.findings = append(i.findings, f)
		}
	}
}

// describe asks all nodes at once.
func (s *session) describe(ctx context.Context) []*server {
	var servers []*server
	var wg sync.WaitGroup
	for addr, client := range s.client.Nodes() {
		node := &server{addr: addr, client: client}
		servers = append(servers, node)
		wg.Go(func() { node.err = node.describe(ctx, s.client.Mode() == rueidis.ClientModeCluster) })
	}
	wg.Wait()
	return servers
}

func (n *server) describe(ctx context.Context, cluster bool) error {
	b := n.client.B()
	questions := []rueidis.Completed{b.Info().Build()}
	if cluster {
		questions = append(questions, b.ClusterInfo().Build(), b.ClusterMyid().Build(), b.ClusterSlots().Build())
	}
	results := n.client.DoMulti(ctx, questions...)
	n.info = map[string]string{}
	for i := 0; i < len(results) && i < 2; i++ {
		text, err := results[i].ToString()
		if err != nil {
			return fmt.Errorf("%w (the user needs +info, in a cluster +cluster too)", err)
		}
		for line := range strings.Lines(strings.TrimPrefix(text, "txt:")) { // the mark of a verbatim string
			if name, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok {
				n.info[name] = value
			}
		}
	}
	if !cluster {
		return nil
	}
	var err error
	if n.id, err = results[2].ToString(); err != nil {
		return err
	}
	ranges, err := results[3].ToArray()
	if err != nil {
		return err
	}
	for _, r := range ranges {
		next, err := shardOf(r)
		if err != nil {
			return err
		}
		n.shards = append(n.shards, next)
	}
	return nil
}

// shardOf reads one element of CLUSTER SLOTS: first, last, [address, port, id, ...], ...
func shardOf(m rueidis.RedisMessage) (out shard, err error) {
	parts, err := m.ToArray()
	if err != nil || len(parts) < 3 {
		return out, fmt.Errorf("unexpected reply to CLUSTER SLOTS: %s: %w", m.String(), err)
	}
	primary, err := parts[2].ToArray()
	if err != nil || len(primary) < 3 {
		return out, fmt.Errorf("unexpected reply to CLUSTER SLOTS: %s: %w", m.String(), err)
	}
	if out.first, err = parts[0].AsInt64(); err != nil {
		return out, err
	}
	if out.last, err = parts[1].AsInt64(); err != nil {
		return out, err
	}
	out.primary, err = primary[2].ToString()
	return out, err
}

// primaries picks the servers that keys live on. Each of them must have answered; what
// became of a replica is of no interest.
func (s *session) primaries(all []*server) ([]*server, []store.Finding, error) {
	if s.client.Mode() == rueidis.ClientModeCluster {
		return clusterPrimaries(all)
	}
	for _, n := range all {
		if n.err != nil {
			return nil, nil, fmt.Errorf("%s: %w", n.addr, n.err)
		}
		if err := n.serves(); err != nil {
			return nil, nil, err
		}
	}
	return all, nil, nil
}

func clusterPrimaries(all []*server) (primaries []*server, findings []store.Finding, err error) {
	var view *server
	byID := map[string]*server{}
	var failures []error
	for _, n := range all {
		if n.err != nil {
			failures = append(failures, fmt.Errorf("%s: %w", n.addr, n.err))
			continue
		}
		byID[n.id] = n
		if view == nil || view.info["role"] != "master" {
			view = n
		}
	}
	if view == nil {
		return nil, nil, errors.Join(failures...)
	}
	if state := view.info["cluster_state"]; state != "ok" {
		return nil, nil, fmt.Errorf("%s: cluster_state is %q", view.addr, state)
	}
	served := int64(0)
	for _, r := range view.shards {
		served += r.last - r.first + 1
		n := byID[r.primary]
		if n == nil {
			return nil, nil, fmt.Errorf("the primary of slots %d to %d does not answer: %w", r.first, r.last, errors.Join(failures...))
		}
		if err := n.serves(); err != nil {
			return nil, nil, err
		}
		if n.own == nil {
			n.own = &r
			primaries = append(primaries, n)
		}
	}
	if served < slots {
		findings = append(findings, store.Finding{Code: "cluster", Degraded: true, Text: fmt.Sprintf("%d slots of the cluster are served by nobody: what belongs there is read from the source, and writes that concern it fail or are journalled; repair it with redis-cli --cluster fix", slots-served)})
	}
	return primaries, findings, nil
}

// serves says why a server cannot be written to.
func (n *server) serves() error {
	switch {
	case n.info["run_id"] == "":
		return fmt.Errorf("%s: INFO shows no run_id, by which a restart would be noticed", n.addr)
	case n.info["loading"] == "1":
		return fmt.Errorf("%s: still loading its data", n.addr)
	case n.info["role"] != "master":
		return fmt.Errorf("%s: a replica, not a primary: its writes fail and its reads lag; name the primary, or connect through Sentinel or Cluster", n.addr)
	}
	return nil
}
