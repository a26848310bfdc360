// Package sqlstore keeps the bookshop in a SQL database through sqlx: SQLite, embedded, or
// PostgreSQL. It is written as if there were no cache; that is the point of the example.
//
// Two habits help the cache, and are good habits without one:
//
//   - A write says what it made of the row (RETURNING), so that the cache keeps what the
//     database holds and not what the caller hoped for.
//   - "Not there" is the bare bookshop.ErrNotFound.
package sqlstore
