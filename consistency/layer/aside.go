package layer

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/cachegen/cachegen/consistency/items"
	"github.com/cachegen/cachegen/consistency/source"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// keeper is how layers other than ours differ.
type keeper interface {
	// get returns what is kept under key, or what load returns, and keeps that.
	get(ctx context.Context, key string, load func(context.Context) (string, error)) (string, error)
	// change runs a write. The keys that are known before it are named, all others in what it
	// returns, with the row that it has left under a key where there is one.
	change(ctx context.Context, known []string, run func(context.Context) (changes, error)) error
}

// changes maps each changed key to its value, or to "" where that is not known.
type changes map[string]string

// aside is a layer as it is written by hand: reads through get, writes through change.
type aside struct {
	src  *source.Source
	keep keeper
}

func newAside(s Settings, keep keeper, err error) (Layer, error) {
	if err != nil {
		return nil, fmt.Errorf("layer: %w", err)
	}
	return &aside{src: s.Source, keep: keep}, nil
}

// absent is what is kept of what is not there.
const absent = "absent"

func through[V any](ctx context.Context, a *aside, key string, load func(context.Context) (V, error)) (v V, err error) {
	text, err := a.keep.get(ctx, key, func(ctx context.Context) (string, error) {
		v, err := load(ctx)
		if errors.Is(err, items.ErrNotFound) {
			return absent, nil
		}
		if err != nil {
			return "", err
		}
		return encode(v), nil
	})
	if err != nil {
		return v, err
	}
	if text == absent {
		return v, items.ErrNotFound
	}
	return v, json.Unmarshal([]byte(text), &v)
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err) // structs of numbers
	}
	return string(text)
}

func itemKey(id int64) string   { return fmt.Sprint("item:", id) }
func nameKey(id int64) string   { return fmt.Sprint("name:", id) }
func shelfKey(id int64) string  { return fmt.Sprint("shelf:", id) }
func rowKeys(id int64) []string { return []string{itemKey(id), nameKey(id)} } // the name of an item is its id

type shelf struct {
	List    []items.Item
	Version int64
}

func (a *aside) ByID(ctx context.Context, id int64) (*items.Item, error) {
	return through(ctx, a, itemKey(id), func(ctx context.Context) (*items.Item, error) { return a.src.ByID(ctx, id) })
}

func (a *aside) ByName(ctx context.Context, name int64) (*items.Named, error) {
	return through(ctx, a, nameKey(name), func(ctx context.Context) (*items.Named, error) { return a.src.ByName(ctx, name) })
}

func (a *aside) OnShelf(ctx context.Context, id int64) ([]items.Item, int64, error) {
	s, err := through(ctx, a, shelfKey(id), func(ctx context.Context) (s shelf, err error) {
		s.List, s.Version, err = a.src.OnShelf(ctx, id)
		return s, err
	})
	return s.List, s.Version, err
}

// row are the changes of a write that leaves a row.
func row(it *items.Item, t items.Touched) changes {
	c := changes{itemKey(it.ID): encode(it), nameKey(it.Name): "", shelfKey(it.Shelf): ""}
	for _, s := range []items.Count{t.Shelf, t.Left} {
		if s.ID != 0 {
			c[shelfKey(s.ID)] = ""
		}
	}
	return c
}

// write runs a write, or inside Atomically notes what it has changed for the end.
func (a *aside) write(ctx context.Context, id int64, run func(context.Context) (changes, error)) error {
	if all, ok := ctx.Value(changesKey{}).(changes); ok {
		c, err := run(ctx)
		for k, v := range c {
			all[k] = v
		}
		return err
	}
	return a.keep.change(ctx, rowKeys(id), run)
}

func (a *aside) Create(ctx context.Context, id, shelf, name, value int64) (it *items.Item, t items.Touched, err error) {
	err = a.write(ctx, id, func(ctx context.Context) (changes, error) {
		if it, t, err = a.src.Create(ctx, id, shelf, name, value); err != nil {
			return nil, err
		}
		return row(it, t), nil
	})
	return it, t, err
}

func (a *aside) Update(ctx context.Context, id, value int64) (it *items.Item, err error) {
	err = a.write(ctx, id, func(ctx context.Context) (changes, error) {
		if it, err = a.src.Update(ctx, id, value); err != nil {
			return nil, err
		}
		return row(it, items.Touched{}), nil
	})
	return it, err
}

func (a *aside) Move(ctx context.Context, id, shelf, value int64) (it *items.Item, t items.Touched, err error) {
	err = a.write(ctx, id, func(ctx context.Context) (changes, error) {
		if it, t, err = a.src.Move(ctx, id, shelf, value); err != nil {
			return nil, err
		}
		return row(it, t), nil
	})
	return it, t, err
}

func (a *aside) Delete(ctx context.Context, id int64) (version int64, t items.Touched, err error) {
	err = a.write(ctx, id, func(ctx context.Context) (changes, error) {
		if version, t, err = a.src.Delete(ctx, id); err != nil {
			return nil, err
		}
		return changes{itemKey(id): absent, nameKey(id): absent, shelfKey(t.Left.ID): ""}, nil
	})
	return version, t, err
}

type changesKey struct{}

// Atomically implements Layer: what has changed is told after the commit.
func (a *aside) Atomically(ctx context.Context, opts *sql.TxOptions, body func(context.Context) error) error {
	return a.keep.change(ctx, nil, func(ctx context.Context) (changes, error) {
		all := changes{}
		err := sqltx.Run(ctx, nil, a.src.DB(), &sqltx.Options{TxOptions: *opts}, func(ctx context.Context, _ *sql.Tx) error {
			return body(context.WithValue(ctx, changesKey{}, all))
		})
		return all, err
	})
}

// Owes implements Layer: nothing is ever made up for.
func (a *aside) Owes() bool { return false }

func (a *aside) Rest(context.Context) error { return nil }

func (a *aside) Stats() map[string]uint64 { return nil }
