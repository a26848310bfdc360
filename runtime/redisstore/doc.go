// Package redisstore keeps entries and tag cells on Redis 7 (6.2 works): a single server,
// Sentinel or Cluster, as the rueidis.ClientOption says.
//
// # What it guarantees
//
// It is a store.Store; package storetest holds it to that contract.
//
// Every operation returns when its context ends, whatever the server, the network or rueidis
// do. None is retried. What could not be reached is store.ErrDown; an error reply about the
// command itself (no memory, no permission) is not.
//
// Near reads are answered from process-local state that Redis keeps in step by client-side
// caching. When Mark or Post returns, every promise of this process for a generation it has
// changed has ended: each script goes out together with one more command on the same key
// and connection, whose reply is queued behind the push that the script caused. Without that
// fence the writer reads its own old value, because Redis sends invalidations after the reply
// of the command that causes them (6 to 22 % of tries with four connections, 0.2 % with one;
// 0 of 400,000 with the fence; measured on Redis 7.0, rueidis 1.0.79).
//
// When a connection to a primary is lost all promises end, OnDown is told, and every
// operation fails at once until Probe has connected again, tested each primary and compared
// the run ids: what answers after a restart may hold an old generation together with its old
// entry. A server that is silent is given up after two to three seconds. Until then promises look
// alive; how far behind they may be says their Proof, which heartbeats renew once Prove has
// asked for it.
//
// # What it changes in the options it is given
//
//   - PipelineMultiplex, BlockingPipeline, DisableAutoPipelining: one connection to each
//     server and no pool. Scripts and fences on different connections mean nothing; rueidis
//     sends pipelines of 2000 commands over another one by default.
//   - AlwaysPipelining: each connection is read all the time, so that pushes and losses are
//     noticed when they happen.
//   - DisableRetry, ConnLifetime 0: rueidis would send commands again, reads without a
//     deadline for ever.
//   - Dialer.Timeout at most 500 ms (also in Sentinel): callers wait while another one dials
//     (a deadline of 100 ms took 4.99 s; guarded here as well). ConnWriteTimeout 1 s and
//     Dialer.KeepAlive at most 500 ms: a connection that hung was believed for 12 s with the
//     defaults.
//   - NewCacheStoreFn and DialCtxFn: taken, the latter around the user's own.
//
// Refused by New are replica reads, tracking options other than OPTIN, a cache store of one's
// own, and RESP2 or DisableCache unless Options.Untracked says that it is meant.
//
// # What it costs
//
// A near read takes one round trip, in which absent cells are made and tracked too; with all
// cells known it is the one GETRANGE of the entry. It takes a second one where a cell is absent in
// a cluster, or when a push comes meanwhile; so does a plain read of an absent cell. Mark and
// Post take one over any number of cells, and one more after the server has lost its scripts.
// Each operation runs on a goroutine of its own, which is kept for the next.
//
// The user needs GETRANGE, SET, EXISTS, TIME, PTTL, PEXPIRE, EVALSHA, EVAL, INFO, PING, HELLO and
// CLIENT on the namespace's keys and on cachegen-probe:*, in a cluster also CLUSTER, and WAIT
// where Options.Replicas asks for it.
//
// # Failover
//
// With Options.Replicas a mark waits for all replicas of its primary, in the same round trip. Then
// no failover loses the marker of a write that went on. A post, or the bump of an unmarked
// write, need not be waited for: whatever takes over, or comes back from a snapshot, is another
// server, Probe reports that, and everything cached in the namespace is given up before it is
// trusted. What a failover loses of an unmarked write is the time until then: a process that
// is still connected to the former primary reads what that one holds.
//
// WAIT holds up the connection, which all of the process share. Measured on one machine: a
// mark takes 0.19 ms instead of 0.10, eight writers at a time make 14,000 marks a second
// instead of 46,000, and strict reads beside two writers take 0.23 ms instead of 0.22. It is
// given a third of the operation's deadline; an idle server notices its end up to 100 ms late,
// so that a StoreTimeout of 200 ms or more serves best. While a replica is frozen marks fail
// with ErrNotReplicated at once, but for one in a second that tries; readers are held up by that
// one alone (110 ms with a StoreTimeout of 200 ms).
//
// # What it does not do
//
// Without Options.Replicas a failover can lose a mark. A primary that was replaced and does not
// know it (a split brain) is believed by processes that are connected to it still: while it
// answers, and for two to three seconds if it is silent (near reads that ask for a Proof, no
// longer than that allows). With Options.Replicas that harms no strict read: the former primary
// is no replica of the new one, so that strict writes are refused until it is, or until the
// option's number is made up by others.
//
// In a cluster the loss of one primary closes the store until it is back or replaced. Redis
// before 7.2 does not report the loss of a slot; the near cache's own TTL, and no Proof, bounds
// what that can do to a process that neither writes there nor reads another cell of a moved slot.
package redisstore
