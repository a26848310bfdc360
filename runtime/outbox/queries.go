package outbox

import (
	"strconv"
	"strings"
)

// queries are the statements in one dialect. Times are the database's own, in milliseconds
// since 1970: clocks of processes differ.
type queries struct {
	insert string // id, namespace, cells, ms until due
	take   string // namespace, limit: id and cells of due rows
	next   string // namespace: ms until the first row is due
	later  string // ms from now, id: makes a row due again
	aside  string // id: never due again
	check  string
	delete func(n int) string // n ids
	locks  bool               // take locks its rows until the end of the transaction
}

// maxChannel is the longest name of a channel. Two tables that share one wake each other's relays.
const maxChannel = 63

// channel is what rows notify on.
func channel(table string) string {
	name := strings.ToLower(strings.ReplaceAll(table, ".", "_"))
	return name[:min(len(name), maxChannel)]
}

func newQueries(o Options) queries {
	now := map[string]string{
		Postgres: `CAST(EXTRACT(EPOCH FROM statement_timestamp()) * 1000 AS BIGINT)`,
		MySQL:    `(TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6)) DIV 1000)`,
		SQLite:   `CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER)`,
	}[o.Dialect]
	write := func(query string) string {
		query = strings.NewReplacer("{now}", now, "{table}", o.Table).Replace(query)
		if o.Dialect == Postgres {
			return numbered(query)
		}
		return query
	}
	q := queries{
		insert: write(`INSERT INTO {table} (id, namespace, cells, created, due) VALUES (?, ?, ?, {now}, {now} + ?)`),
		take:   write(`SELECT id, cells FROM {table} WHERE namespace = ? AND due <= {now} ORDER BY due LIMIT ?`),
		next:   write(`SELECT MIN(due) - {now} FROM {table} WHERE namespace = ?`),
		later:  write(`UPDATE {table} SET due = {now} + ? WHERE id = ?`),
		aside:  write(`UPDATE {table} SET due = NULL WHERE id = ?`),
		check:  write(`SELECT COUNT(*) FROM {table} WHERE id = ''`),
	}
	from := `DELETE FROM {table}`
	if o.Dialect == MySQL { // it would rather read the whole of a small table, waiting for each lock
		from = `DELETE {table} FROM {table} FORCE INDEX (PRIMARY)`
	}
	q.delete = func(n int) string {
		return write(from + ` WHERE id IN (?` + strings.Repeat(", ?", n-1) + `)`)
	}
	if o.Dialect == Postgres && !o.Quiet {
		q.insert += ` RETURNING pg_notify('` + channel(o.Table) + `', namespace)`
	}
	if o.Dialect != SQLite {
		q.take += ` FOR UPDATE SKIP LOCKED`
		q.locks = true
	}
	return q
}

// numbered turns ? into $1, $2 and so on.
func numbered(query string) string {
	var b strings.Builder
	n := 0
	for _, c := range []byte(query) {
		if c != '?' {
			b.WriteByte(c)
			continue
		}
		n++
		b.WriteString("$" + strconv.Itoa(n))
	}
	return b.String()
}
