package cachert

import (
	"context"
	"database/sql/driver"
	"errors"
	"io"
	"net"
)

// Invalidate tells the cache that something changed behind its back: raw SQL, a migration,
// another program. Call it after the commit. The tags are those of the generated policy
// table by their full names; in a repository with tenants, those of the tenant of ctx:
//
//	err := cache.Invalidate(ctx, func(t *cachert.Tags) { t.Tag("books/book").Int(42) })
//
// When the store cannot be reached the invalidation is journalled and retried, this process
// reads from the source until it is delivered, and the store's error is returned.
func (c *Cache) Invalidate(ctx context.Context, tags func(*Tags)) error {
	t := &Tags{cache: c, ctx: ctx}
	cells := t.collect(tags)
	if t.err != nil {
		return t.err
	}
	return c.invalidate(ctx, cells...)
}

// InvalidateRepo gives up everything cached of a repository, for all tenants.
func (c *Cache) InvalidateRepo(ctx context.Context, repo string) error {
	return c.invalidate(ctx, c.keys.repoCell(repo))
}

// InvalidateAll gives up everything cached under the namespace.
func (c *Cache) InvalidateAll(ctx context.Context) error {
	return c.invalidate(ctx, c.keys.namespaceCell())
}

func (c *Cache) invalidate(ctx context.Context, cells ...string) error {
	ctx, cancel := c.storeContext(context.WithoutCancel(ctx))
	defer cancel()
	s, since := SessionFrom(ctx), c.now()
	err := c.renew(ctx, cells...)
	if s != nil {
		s.invalidated(c, cells, err, since)
	}
	if err != nil {
		c.voids.undelivered.Add(uint64(len(cells)))
		c.gate.owe("", cells, c.now(), err)
	}
	return err
}

func (c *Cache) storeContext(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, c.opt.StoreTimeout)
}

// DefaultOutcomeUnknown recognises the errors after which nobody can say whether the
// database committed: a context that ended, a network time-out, a connection lost.
func DefaultOutcomeUnknown(err error) bool {
	var timeout net.Error
	return errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) ||
		errors.Is(err, driver.ErrBadConn) || errors.Is(err, net.ErrClosed) ||
		errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.As(err, &timeout)
}
