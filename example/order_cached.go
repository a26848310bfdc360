package bookshop

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// CachedOrderRepo is OrderRepo with a cache in front of it. Repository "orders", level strict.
//
//	method  kind   ttl  depends on / drops
//	ByID    read   30s  order:{id}
//	Status  read   30s  order:{id}; not with latest
//	Mine    read   30s  customer:{ctx.Customer} order:{row.ID}
//	Place   write       drops customer:{o.CustomerID} books/book:{o.BookID}; puts ByID(ret.ID) from the returned row
//	Ship    write       drops order:{id}; puts ByID(id) from the returned row
//	Cancel  write       drops order:{id} books/book:{old.BookID}; puts ByID(id) from the returned row
type CachedOrderRepo struct {
	src    OrderRepo
	byID   *cachert.Reader[*Order]
	status *cachert.Reader[Status]
	mine   *cachert.Reader[[]Order]
	place  *cachert.Writer
	ship   *cachert.Writer
	cancel *cachert.Writer
}

var _ OrderRepo = (*CachedOrderRepo)(nil)

// NewCachedOrderRepo puts cache in front of src.
func NewCachedOrderRepo(src OrderRepo, cache *cachert.Cache) *CachedOrderRepo {
	repo := cache.Repo(cachert.RepoPolicy{Name: "orders"})
	return &CachedOrderRepo{
		src: src,
		byID: cachert.NewReader(repo, cachert.ReadPolicy[*Order]{
			Method: "ByID", Key: "ByID", Schema: "1", Level: cachert.LevelStrict, TTL: 30 * time.Second, Jitter: 0.1,
			Codec: jsonCodec(clonePtr[Order]),
		}),
		status: cachert.NewReader(repo, cachert.ReadPolicy[Status]{
			Method: "Status", Key: "Status", Schema: "1", Level: cachert.LevelStrict, TTL: 30 * time.Second, Jitter: 0.1,
			Codec: jsonCodec[Status](nil),
		}),
		mine: cachert.NewReader(repo, cachert.ReadPolicy[[]Order]{
			Method: "Mine", Key: "Mine", Schema: "1", Level: cachert.LevelStrict, TTL: 30 * time.Second, Jitter: 0.1,
			Codec: jsonCodec(slices.Clone[[]Order]),
		}),
		place:  cachert.NewWriter(repo, cachert.WritePolicy{Method: "Place", Level: cachert.LevelStrict}),
		ship:   cachert.NewWriter(repo, cachert.WritePolicy{Method: "Ship", Level: cachert.LevelStrict}),
		cancel: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Cancel", Level: cachert.LevelStrict}),
	}
}

// ByID returns one order, or ErrNotFound.
func (c *CachedOrderRepo) ByID(ctx context.Context, id int64) (*Order, error) {
	return c.byID.Get(ctx, c.byIDCall(id), func(ctx context.Context) (*Order, error) {
		return c.src.ByID(ctx, id)
	})
}

func (c *CachedOrderRepo) byIDCall(id int64) cachert.Call[*Order] {
	return cachert.Call[*Order]{
		Key:  cachert.NewArgs().Int(id),
		Tags: func(t *cachert.Tags) { t.Tag("orders/order").Int(id) },
	}
}

// Status returns the state of an order; with latest, from the database.
func (c *CachedOrderRepo) Status(ctx context.Context, id int64, latest bool) (Status, error) {
	return c.status.Get(ctx, cachert.Call[Status]{
		Key:    cachert.NewArgs().Int(id),
		Tags:   func(t *cachert.Tags) { t.Tag("orders/order").Int(id) },
		Bypass: latest,
	}, func(ctx context.Context) (Status, error) {
		return c.src.Status(ctx, id, latest)
	})
}

// Mine returns a page of the orders of the customer the context acts for, newest first.
func (c *CachedOrderRepo) Mine(ctx context.Context, page Page) ([]Order, error) {
	customer, ok := Customer(ctx)
	return c.mine.Get(ctx, cachert.Call[[]Order]{
		Key:  keyPage(cachert.NewArgs().Int(customer), page),
		Tags: func(t *cachert.Tags) { t.Tag("orders/customer").Int(customer) },
		Rows: func(ret []Order, t *cachert.Tags) {
			for _, row := range ret {
				t.Tag("orders/order").Int(row.ID)
			}
		},
		Bypass: !ok,
	}, func(ctx context.Context) ([]Order, error) {
		return c.src.Mine(ctx, page)
	})
}

// Place orders copies of a book and takes them out of stock, or returns ErrOutOfStock.
func (c *CachedOrderRepo) Place(ctx context.Context, o Order) (ret *Order, err error) {
	err = c.place.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) {
			t.Tag("orders/customer").Int(o.CustomerID)
			t.Tag("books/book").Int(o.BookID)
		},
		Run: func(ctx context.Context) error {
			ret, err = c.src.Place(ctx, o)
			return err
		},
		After: func(t *cachert.Tags) {
			if ret != nil {
				t.Entry(c.byIDCall(ret.ID))
			}
		},
		Put: func(p *cachert.Puts) {
			if ret != nil {
				c.byID.Put(p, c.byIDCall(ret.ID), ret)
			}
		},
	})
	return ret, err
}

// Ship marks an order as shipped and returns it.
func (c *CachedOrderRepo) Ship(ctx context.Context, id int64) (ret *Order, err error) {
	err = c.ship.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Entry(c.byIDCall(id)) },
		Run: func(ctx context.Context) error {
			ret, err = c.src.Ship(ctx, id)
			return err
		},
		Put: func(p *cachert.Puts) { c.byID.Put(p, c.byIDCall(id), ret) },
	})
	return ret, err
}

// Cancel takes an order back and its copies into stock.
func (c *CachedOrderRepo) Cancel(ctx context.Context, id int64) (ret *Order, err error) {
	err = c.cancel.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Entry(c.byIDCall(id)) },
		Old: func(ctx context.Context, t *cachert.Tags) error {
			old, err := c.src.ByID(ctx, id)
			if errors.Is(err, ErrNotFound) {
				return nil
			}
			if err != nil || old == nil {
				return err
			}
			t.Tag("books/book").Int(old.BookID)
			return nil
		},
		Run: func(ctx context.Context) error {
			ret, err = c.src.Cancel(ctx, id)
			return err
		},
		Put: func(p *cachert.Puts) { c.byID.Put(p, c.byIDCall(id), ret) },
	})
	return ret, err
}
