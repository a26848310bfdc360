// Package memstore is the store of one process: the default when no server is configured,
// the store of unit tests, and enough for an application that runs as a single process.
//
// It keeps the whole contract of package store: cells that are absent, hold a generation or
// hold markers; overlapping writes that never write through; promises that end before the
// Mark or Post that ends them returns. What it cannot do is tell another process: two
// processes with a memstore each cache independently, and a write in one leaves the other
// stale until its entries expire.
//
// # Bounds
//
// Entries are bounded in number and in bytes, cells in number; the SIEVE algorithm (Zhang et
// al., NSDI 2024) chooses what goes. Losing an entry or a cell early costs a miss and nothing
// else: an absent cell means "invalid", and an evicted cell ends its promises. A cell that
// holds a marker is never evicted, so writes in progress may push the number of cells over
// its bound for as long as they last.
//
// # Concurrency and time
//
// Keys are spread over independently locked shards; an operation locks one shard at a time
// and never waits for anything else, so no deadline can pass inside it. There are no
// goroutines and no timers: what has expired is recognised when it is next touched, and its
// memory returns when it is touched or evicted. Time is time.Now, virtual inside a
// testing/synctest bubble.
package memstore
