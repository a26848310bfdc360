// Package testserver starts real servers for tests and for the demo: Redis alone, as a
// cluster and under Sentinel, PostgreSQL and MariaDB.
//
// Each server runs on a free loopback port in a private temporary directory, is ready to
// serve when its start function returns, and is ended by Close by its own process id;
// nothing else on the machine is touched. On Linux the servers also end when the process
// that started them dies, however it dies.
//
// The Start functions return a handle and an error and belong to any program. The functions
// that take a testing.TB fail the test instead, never skip it, and close the server when the
// test ends. A missing server program is an error that names the cure.
package testserver
