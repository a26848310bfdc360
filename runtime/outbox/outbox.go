package outbox

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/outbox/migration"
)

// The dialects. MySQL means MySQL 8 and MariaDB 10.6 or later, Postgres means 9.5 or later.
const (
	Postgres = migration.Postgres
	MySQL    = migration.MySQL
	SQLite   = migration.SQLite
)

// Options of an Outbox. Only Dialect is required; the zero value of every other field is the
// default named in its comment.
type Options struct {
	// Dialect is Postgres, MySQL or SQLite.
	Dialect string
	// Table is the table's name, with or without a schema in front. Default: cachegen_outbox.
	Table string
	// Grace is how long a row is left to the process that wrote it. Shorter: a lost
	// invalidation is delivered sooner; too short: relays deliver what writers are about to
	// deliver. Default: 1 s.
	Grace time.Duration
	// Poll is how often a relay looks for rows when nothing wakes it. Default: 1 s.
	Poll time.Duration
	// Batch is how many rows a relay takes at once. Default: 100.
	Batch int
	// Timeout bounds each conversation with the database. Default: 5 s.
	Timeout time.Duration
	// Listen makes a relay on PostgreSQL wake by NOTIFY; database/sql has no such thing, so
	// the driver's comes in here. It listens on channel until ctx ends or the connection is
	// lost, and calls wake, on whatever goroutine, as soon as it listens and for each notification. It
	// is called again when it returned. Default: none, relays poll.
	Listen func(ctx context.Context, channel string, wake func()) error
	// Quiet keeps rows on PostgreSQL from notifying: transactions that notify wait for each
	// other while they commit.
	Quiet bool
	// Exec executes a statement in a transaction that is none of database/sql's, given to
	// Unit.MarkTx or cachert.WithTx; it reports false for one it does not know. Default: none.
	Exec func(ctx context.Context, tx any, query string, args ...any) (known bool, err error)
	// Logger is told of failures. Default: slog.Default().
	Logger *slog.Logger
}

func (o *Options) complete() error {
	o.Table = withDefault(o.Table, migration.Table)
	if err := migration.Check(o.Dialect, o.Table); err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	if o.Grace < 0 || o.Poll < 0 || o.Batch < 0 || o.Timeout < 0 {
		return errors.New("outbox: Grace, Poll, Batch and Timeout must not be negative")
	}
	if o.Listen != nil && o.Dialect != Postgres {
		return errors.New("outbox: Listen is for PostgreSQL only")
	}
	o.Grace = withDefault(o.Grace, time.Second)
	o.Poll = withDefault(o.Poll, time.Second)
	o.Batch = withDefault(o.Batch, 100)
	o.Timeout = withDefault(o.Timeout, 5*time.Second)
	if o.Logger == nil {
		o.Logger = slog.Default()
	}
	return nil
}

func withDefault[T comparable](v, def T) T {
	var zero T
	if v == zero {
		return def
	}
	return v
}

// Outbox is the table. It is safe for concurrent use.
type Outbox struct {
	db    *sql.DB
	opt   Options
	query queries
	stats counters

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	wg     sync.WaitGroup
	done   chan string // ids of rows to delete
}

var _ cachert.Outbox = (*Outbox)(nil)

// New returns the outbox in db, which is where the writes are. It does not touch the database.
func New(db *sql.DB, o Options) (*Outbox, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	b := &Outbox{db: db, opt: o, query: newQueries(o), done: make(chan string, maxDone)}
	b.ctx, b.cancel = context.WithCancel(context.Background())
	b.wg.Go(b.deleteDone)
	return b, nil
}

// Close deletes the rows that are known to be delivered and ends that work, which takes no longer
// than twice Timeout when the database does not answer. The database stays open. Close the Cache
// first.
func (b *Outbox) Close() error {
	b.cancel()
	b.wg.Wait()
	return nil
}

// Check reports whether the table can be reached. The error names the cure.
func (b *Outbox) Check(ctx context.Context) error {
	var n int
	return b.explain("read", b.db.QueryRowContext(ctx, b.query.check).Scan(&n))
}

// execer is a transaction of database/sql or what wraps one.
type execer interface {
	ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error)
}

// Add implements cachert.Outbox.
func (b *Outbox) Add(ctx context.Context, tx any, row cachert.OutboxRow) error {
	ctx, cancel := context.WithTimeout(ctx, b.opt.Timeout)
	defer cancel()
	cells, err := encode(row.Cells)
	if err != nil {
		return fmt.Errorf("outbox: %w", err)
	}
	args := []any{row.ID, row.Namespace, cells, (row.Lease + b.opt.Grace).Milliseconds()}
	if err := b.insert(ctx, tx, args); err != nil {
		b.stats.refused.Add(1)
		return err
	}
	b.stats.added.Add(1)
	return nil
}

func (b *Outbox) insert(ctx context.Context, tx any, args []any) error {
	if tx == nil {
		_, err := b.db.ExecContext(ctx, b.query.insert, args...)
		return b.explain("write", err)
	}
	if e, ok := tx.(execer); ok {
		_, err := e.ExecContext(ctx, b.query.insert, args...)
		return b.explain("write", err)
	}
	if b.opt.Exec != nil {
		if known, err := b.opt.Exec(ctx, tx, b.query.insert, args...); known {
			return b.explain("write", err)
		}
	}
	return fmt.Errorf("outbox: no row can be written through a %T: set Exec in outbox.Options", tx)
}

// explain adds the cure where the database blames the table, in whatever words.
func (b *Outbox) explain(verb string, err error) error {
	if err == nil {
		return nil
	}
	_, base, ok := strings.Cut(b.opt.Table, ".")
	if !ok {
		base = b.opt.Table
	}
	if strings.Contains(err.Error(), base) {
		return fmt.Errorf("outbox: %s table %s: %w (is it there? cachegen outbox -dialect %s -table %s prints the migration)", verb, b.opt.Table, err, b.opt.Dialect, b.opt.Table)
	}
	return fmt.Errorf("outbox: %s table %s: %w", verb, b.opt.Table, err)
}
