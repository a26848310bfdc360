// Package redisstore keeps entries and tag cells on Redis 6 or later (7 is what it is tested
// with): a single server, Sentinel or Cluster, as the rueidis.ClientOption says.
//
// # What it guarantees
//
// It is a store.Store; package storetest holds it to that contract. Near reads are answered
// from process-local state that Redis keeps in step by client-side caching. When Post
// returns, every promise of this process for a generation it changed has ended: each script
// goes out together with one more command on the same key and connection, whose reply is
// queued behind the push that the script caused. Without that the writer can read its own
// old value, because Redis sends invalidations after the reply of the command that causes
// them.
//
// # What it changes in the options it is given
//
// PipelineMultiplex is -1: with several connections to a node the fence above fails.
// DisableRetry is set, Dialer.Timeout is at most 500 ms and ConnWriteTimeout 1 s where it is
// zero: the protocol has its own retries and deadlines. Options under which the protocol
// does not hold are refused by New: replica reads, BCAST or NOLOOP tracking, a cache store
// of one's own.
//
// # What it does not do
//
// It does not wait for replicas: a failover can lose a mark or a post that was not
// replicated. The change of server is noticed at the next Probe.
package redisstore
