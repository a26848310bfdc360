package sqlstore

import (
	"context"
	"errors"
	"time"

	bookshop "github.com/cachegen/cachegen/example"
)

type sessionRepo struct{ db *DB }

func (r sessionRepo) Get(ctx context.Context, token string) (bookshop.Session, bool, error) {
	var s bookshop.Session
	err := get(ctx, r.db.reader(ctx), &s, "SELECT token, customer_id, expires_at FROM sessions WHERE token = ?", token)
	if errors.Is(err, bookshop.ErrNotFound) {
		return bookshop.Session{}, false, nil
	}
	s.ExpiresAt = s.ExpiresAt.UTC()
	return s, err == nil, err
}

func (r sessionRepo) Save(ctx context.Context, s bookshop.Session) error {
	_, err := exec(ctx, r.db.writer(ctx),
		"INSERT INTO sessions (token, customer_id, expires_at) VALUES (?, ?, ?) "+
			"ON CONFLICT (token) DO UPDATE SET customer_id = excluded.customer_id, expires_at = excluded.expires_at",
		s.Token, s.CustomerID, s.ExpiresAt.UTC())
	return err
}

func (r sessionRepo) End(ctx context.Context, token string) error {
	_, err := exec(ctx, r.db.writer(ctx), "DELETE FROM sessions WHERE token = ?", token)
	return err
}

func (r sessionRepo) Sweep(ctx context.Context, before time.Time) (int64, error) {
	return exec(ctx, r.db.writer(ctx), "DELETE FROM sessions WHERE expires_at < ?", before.UTC())
}
