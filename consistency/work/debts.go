package work

import (
	"sync"
	"sync/atomic"

	"github.com/cachegen/cachegen/consistency/trace"
	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// debts know whether this process owes others an invalidation, from what the layer says: first
// that it could not tell the store of some write, later that nothing is owed. In between the write
// may be about to commit:
//
//  1. a write could not be announced, and goes on
//  2. another call ends: nothing is in the journal yet, and nothing owed, as it seems
//  3. the write commits, and owes an invalidation
//
// So a debt lasts at least until every call has ended that was under way when it was incurred.
type debts struct {
	owes  func() bool    // the layer's
	owing atomic.Bool    // incurred, and not paid; written under mu
	calls []atomic.Int64 // the beginning of each client's call, 0: none
	ring  *trace.Ring    // where it stands for those who kill processes

	mu   sync.Mutex
	last int64 // when the last debt was incurred; guarded by mu
	told bool  // the judge; guarded by mu
}

// incur is called by the layer, in the call that owes, before its commit where it knows by then.
func (d *debts) incur() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.last = cachecheck.Now()
	d.owing.Store(true)
	d.ring.Owe(true)
}

func (d *debts) begin(client uint32) { d.calls[client].Store(cachecheck.Now()) }

// end is called at the end of each call, before it is recorded, and tells the judge.
func (d *debts) end(op *cachecheck.Op) {
	d.calls[op.Client].Store(0)
	if !d.owing.Load() {
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.owing.Load() {
		return
	}
	if !d.told {
		d.told = true
		op.Owes(true)
	}
	for i := range d.calls {
		if begun := d.calls[i].Load(); begun != 0 && begun <= d.last {
			return
		}
	}
	if d.owes() {
		return
	}
	d.told = false
	d.owing.Store(false)
	d.ring.Owe(false)
	op.Owes(false)
}

// unlessOwing does something, unless something is owed. What is incurred meanwhile waits for it.
func (d *debts) unlessOwing(do func()) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !d.owing.Load() {
		do()
	}
}
