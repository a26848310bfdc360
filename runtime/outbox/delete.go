package outbox

import (
	"context"
	"time"
)

const (
	maxDone   = 10_000 // rows waiting to be deleted
	maxDelete = 100    // in one statement
	linger    = 20 * time.Millisecond
)

// Delivered implements cachert.Outbox. Rows are deleted some time later, many at once; what
// does not fit into the queue is left to the relays and counted in Stats.LeftBehind.
func (b *Outbox) Delivered(ids []string) {
	for _, id := range ids {
		select {
		case b.done <- id:
		default:
			b.stats.leftBehind.Add(1)
		}
	}
}

// deleteDone deletes rows until Close, and then those that wait.
func (b *Outbox) deleteDone() {
	for b.ctx.Err() == nil {
		select {
		case id := <-b.done:
			b.delete(b.more(id))
		case <-b.ctx.Done():
		}
	}
	b.deleteRest()
}

// deleteRest ends with the first failure: of a database that hangs a hundred statements would
// take Timeout each.
func (b *Outbox) deleteRest() {
	for {
		select {
		case id := <-b.done:
			if !b.delete(b.more(id)) {
				b.stats.leftBehind.Add(uint64(len(b.done)))
				return
			}
		default:
			return
		}
	}
}

// more waits a little for others to go with id.
func (b *Outbox) more(id string) []string {
	ids := []string{id}
	timer := time.NewTimer(linger)
	defer timer.Stop()
	for len(ids) < maxDelete {
		select {
		case id := <-b.done:
			ids = append(ids, id)
			continue
		default:
		}
		select {
		case id := <-b.done:
			ids = append(ids, id)
		case <-timer.C:
			return ids
		case <-b.ctx.Done():
			return ids
		}
	}
	return ids
}

func (b *Outbox) delete(ids []string) (ok bool) {
	ctx, cancel := context.WithTimeout(context.Background(), b.opt.Timeout)
	defer cancel()
	if _, err := b.db.ExecContext(ctx, b.query.delete(len(ids)), asArgs(ids)...); err != nil {
		b.stats.leftBehind.Add(uint64(len(ids)))
		b.opt.Logger.Warn("cachegen: outbox rows could not be deleted, their cells will be renewed once more", "rows", len(ids), "error", err)
		return false
	}
	b.stats.deleted.Add(uint64(len(ids)))
	return true
}

func asArgs(ids []string) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return args
}
