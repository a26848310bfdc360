package sqltx

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// Margin is how much earlier than the lease a database must give up on a transaction: a
// COMMIT that was sent in time may take a while.
const Margin = time.Second

// Queryer asks a database, as *sql.DB and *sql.Conn do.
type Queryer interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

// Limits says where the database lets a write be committed later than its markers stand
// (cachert.Options.Lease). It matters because of this schedule:
//
//  1. a write marks; its process is stopped right before COMMIT
//  2. the markers expire, and a reader stores the old row
//  3. the process goes on and commits
//
// The old row stays until the writer posts, and for good if it dies before. Where the
// database ends such a transaction in time, step 3 fails. Settings sets it.
//
// The dialects are postgres, mysql (also MariaDB, which is recognised) and sqlite. What is
// read are the settings of one session of db. The findings are those of Cache.Findings in
// kind: degraded ones say what is not covered, with the cure; without any, all is.
func Limits(ctx context.Context, db Queryer, dialect string, lease time.Duration) ([]store.Finding, error) {
	l := limits{bound: lease - Margin}
	if l.bound <= 0 {
		return nil, fmt.Errorf("sqltx: a lease of %v leaves nothing to a transaction: make it longer than %v", lease, Margin)
	}
	var err error
	switch dialect {
	case "postgres":
		err = l.postgres(ctx, db)
	case "mysql":
		err = l.mysql(ctx, db)
	case "sqlite":
		l.advise("sqlite_stopped", "SQLite ends no transaction whose process is stopped; it commits nothing once the process has died. A COMMIT after the lease is counted (MarkersLost)")
	default:
		err = fmt.Errorf("dialect %q is not known: use postgres, mysql (for MariaDB, too) or sqlite", dialect)
	}
	if err != nil {
		return nil, fmt.Errorf("sqltx: limits: %w", err)
	}
	return l.findings, nil
}

// Settings are session variables under which Limits has nothing degraded to say, to be added to the
// parameters of a DSN: drivers of PostgreSQL (pgx, lib/pq) and go-sql-driver/mysql set what
// they do not know themselves. Where a pooler forbids that, set them for the role or in the
// server's configuration. Dialects are postgres, mariadb and mysql; others have none.
//
// For mysql the bound is wait_timeout, which ends idle connections of the pool as well:
// give sql.DB a shorter SetConnMaxIdleTime. A statement of a write that commits by itself
// has no bound there.
//
// The lease has to be at least two seconds: some of these count in whole seconds.
func Settings(dialect string, lease time.Duration) url.Values {
	bound := lease - Margin
	ms, seconds := strconv.FormatInt(bound.Milliseconds(), 10), strconv.FormatInt(int64(bound/time.Second), 10)
	switch dialect {
	case "postgres":
		return url.Values{"idle_in_transaction_session_timeout": {ms}, "statement_timeout": {ms}}
	case "mariadb":
		return url.Values{"idle_transaction_timeout": {seconds}, "max_statement_time": {seconds}}
	case "mysql":
		return url.Values{"wait_timeout": {seconds}}
	}
	return nil
}

// limits collects findings.
type limits struct {
	bound    time.Duration
	findings []store.Finding
}

func (l *limits) advise(code, text string) {
	l.findings = append(l.findings, store.Finding{Code: code, Text: text})
}

func (l *limits) degrade(code, text string) {
	l.findings = append(l.findings, store.Finding{Code: code, Degraded: true, Text: text})
}

// covers reports whether a timeout is set and short enough.
func (l *limits) covers(timeout time.Duration) bool { return timeout > 0 && timeout <= l.bound }

func (l *limits) postgres(ctx context.Context, db Queryer) error {
	set, err := settings(ctx, db, `SELECT name, setting FROM pg_settings WHERE name IN ('idle_in_transaction_session_timeout', 'statement_timeout', 'transaction_timeout')`, time.Millisecond)
	if err != nil {
		return err
	}
	if l.covers(set["transaction_timeout"]) { // PostgreSQL 17
		return nil
	}
	if idle := set["idle_in_transaction_session_timeout"]; !l.covers(idle) {
		l.degrade("idle_in_transaction_session_timeout", fmt.Sprintf("a transaction whose process hangs right before COMMIT may be committed after its markers have gone: idle_in_transaction_session_timeout is %v; set it to at most %v, in the DSN or for the role", limit(idle), l.bound))
	}
	if statement := set["statement_timeout"]; !l.covers(statement) {
		l.degrade("statement_timeout", fmt.Sprintf("a write that commits by itself and waits for a lock may be committed after its markers have gone: statement_timeout is %v; set it to at most %v, in the DSN or for the role", limit(statement), l.bound))
	}
	return nil
}

func (l *limits) mysql(ctx context.Context, db Queryer) error {
	set, err := settings(ctx, db, `SHOW SESSION VARIABLES WHERE Variable_name IN ('idle_transaction_timeout', 'idle_write_transaction_timeout', 'max_statement_time', 'wait_timeout')`, time.Second)
	if err != nil {
		return err
	}
	idle, maria := set["idle_transaction_timeout"]
	cure := "wait_timeout, with a shorter SetConnMaxIdleTime,"
	if maria {
		cure = "idle_transaction_timeout"
	}
	if !l.covers(idle) && !l.covers(set["idle_write_transaction_timeout"]) && !l.covers(set["wait_timeout"]) {
		l.degrade("idle_transaction_timeout", fmt.Sprintf("a transaction whose process hangs right before COMMIT may be committed after its markers have gone: set %s to at most %v, in the DSN", cure, l.bound.Truncate(time.Second)))
	}
	switch statement := set["max_statement_time"]; {
	case !maria:
		l.degrade("statement", "MySQL has no bound on how long a statement that writes may take (max_execution_time is about SELECT): a write that commits by itself and waits for locks may be committed after its markers have gone; lower innodb_lock_wait_timeout, or use transactions")
	case !l.covers(statement):
		l.degrade("max_statement_time", fmt.Sprintf("a write that commits by itself and waits for a lock may be committed after its markers have gone: max_statement_time is %v; set it to at most %v, in the DSN", limit(statement), l.bound))
	}
	return nil
}

// limit is how a timeout is printed.
func limit(d time.Duration) string {
	if d == 0 {
		return "not set"
	}
	return d.String()
}

// settings reads pairs of a name and a number of units.
func settings(ctx context.Context, db Queryer, query string, unit time.Duration) (map[string]time.Duration, error) {
	rows, err := db.QueryContext(ctx, query)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	set := map[string]time.Duration{}
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return nil, err
		}
		n, err := strconv.ParseFloat(value, 64) // MariaDB counts some in fractions of a second
		if err != nil {
			return nil, fmt.Errorf("%s is %q: %w", name, value, err)
		}
		set[strings.ToLower(name)] = time.Duration(n * float64(unit))
	}
	return set, rows.Err()
}
