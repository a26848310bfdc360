// Package databases tests what touches SQL on real servers: PostgreSQL and MariaDB processes
// of the tests' own, and SQLite. It is a module of its own so that nobody gets the drivers
// who uses the cache.
package databases
