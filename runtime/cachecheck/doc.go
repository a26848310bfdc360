// Package cachecheck judges what a cache has answered. Processes of a program under test record
// what their clients called and got back; a Judge reads the record and says which answers break
// the promise of their consistency level, and Run does all of it: it starts the processes,
// injects faults, judges while they run and compares everything with the database at the end.
//
// # What is recorded
//
// An object is something that has a version which the DATABASE counts: a row with a version
// column that each UPDATE increments, a list or an index entry with a counter that the same
// transaction increments. A deletion takes a version too (the counter stays behind), so that
// absence has its place in the order. Each call is recorded with the time before it and the time
// after it, by a clock that all processes of a machine share, and with what it wrote or saw.
// Values are tokens that each write makes anew: two values under one version are as wrong as an
// old version.
//
// # What is judged
//
//   - strict, leased: a read is not older than any version that was acknowledged to, or read by,
//     anybody before the read began, and not of a write that began after the read ended.
//   - session: the same within one process.
//   - at every level for which Rules.Bound has one: a read is not older than what was
//     acknowledged that long before it began; at bounded and eventual that is all. While a
//     process owes an invalidation (Op.Owes) that is void.
//   - at the end, when all is quiet, every process reads what the database holds.
//
// A write of unknown outcome raises no floor; who reads it does. The judge never blames a right
// answer: where what it knows leaves room, it lets an answer pass. It reads events in the order
// in which they ended, once, in constant time each, and keeps a bounded number for each object.
package cachecheck
