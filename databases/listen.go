package databases

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// Listen is the Listen of outbox.Options with pgx: a connection of its own that waits for
// notifications. Wake is called once it listens, because what was notified before is lost.
func Listen(dsn string) func(ctx context.Context, channel string, wake func()) error {
	return func(ctx context.Context, channel string, wake func()) error {
		conn, err := pgx.Connect(ctx, dsn)
		if err != nil {
			return err
		}
		defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
		if _, err := conn.Exec(ctx, "LISTEN "+pgx.Identifier{channel}.Sanitize()); err != nil {
			return err
		}
		for wake(); ; wake() {
			if _, err := conn.WaitForNotification(ctx); err != nil {
				return err
			}
		}
	}
}
