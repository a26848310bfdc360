package source

import (
	"context"
	"database/sql"
	"errors"

	"github.com/cachegen/cachegen/consistency/items"
)

const columns = "i.id, i.shelf, i.name, i.version, i.value"

func scan(row interface{ Scan(...any) error }, more ...any) (items.Item, error) {
	var it items.Item
	err := row.Scan(append([]any{&it.ID, &it.Shelf, &it.Name, &it.Version, &it.Value}, more...)...)
	if errors.Is(err, sql.ErrNoRows) {
		err = items.ErrNotFound
	}
	return it, err
}

// ByID implements items.Items.
func (s *Source) ByID(ctx context.Context, id int64) (*items.Item, error) {
	if err := s.step(ctx, "select"); err != nil {
		return nil, err
	}
	it, err := scan(s.reader(ctx).QueryRowContext(ctx, "SELECT "+columns+" FROM items i WHERE i.id = $1 AND NOT i.gone", id))
	if err = s.done(ctx, err); err != nil {
		return nil, err
	}
	return &it, nil
}

// ByName implements items.Items.
func (s *Source) ByName(ctx context.Context, name int64) (*items.Named, error) {
	if err := s.step(ctx, "select"); err != nil {
		return nil, err
	}
	var n items.Named
	var err error
	n.Item, err = scan(s.reader(ctx).QueryRowContext(ctx, "SELECT "+columns+", n.version FROM names n JOIN items i ON i.name = n.id WHERE n.id = $1 AND NOT i.gone", name), &n.NameVersion)
	if err = s.done(ctx, err); err != nil {
		return nil, err
	}
	return &n, nil
}

// OnShelf implements items.Items. One statement sees one state.
func (s *Source) OnShelf(ctx context.Context, shelf int64) ([]items.Item, int64, error) {
	if err := s.step(ctx, "select"); err != nil {
		return nil, 0, err
	}
	list, version, err := s.onShelf(ctx, shelf)
	if err = s.done(ctx, err); err != nil {
		return nil, 0, err
	}
	return list, version, nil
}

func (s *Source) onShelf(ctx context.Context, shelf int64) (list []items.Item, version int64, err error) {
	rows, err := s.reader(ctx).QueryContext(ctx, "SELECT s.version, "+columns+" FROM shelves s LEFT JOIN items i ON i.shelf = s.id AND NOT i.gone WHERE s.id = $1 ORDER BY i.id", shelf)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var c [5]sql.NullInt64
		if err := rows.Scan(&version, &c[0], &c[1], &c[2], &c[3], &c[4]); err != nil {
			return nil, 0, err
		}
		if c[0].Valid {
			list = append(list, items.Item{ID: c[0].Int64, Shelf: c[1].Int64, Name: c[2].Int64, Version: c[3].Int64, Value: c[4].Int64})
		}
	}
	return list, version, rows.Err()
}

// done ends a read. Its error is not wrapped: ErrNotFound must come out as it is.
func (s *Source) done(ctx context.Context, err error) error {
	if stepped := s.step(ctx, "selected"); err == nil {
		return stepped
	}
	return err
}
