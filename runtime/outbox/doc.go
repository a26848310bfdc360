// Package outbox keeps invalidations in the database until they have been delivered, so that
// neither an outage of the store nor the death of a process loses one. It is what writes
// with onerror=outbox (cachert.OnErrorOutbox) need:
//
//	box, err := outbox.New(db, outbox.Options{Dialect: outbox.Postgres})
//	cache, err := cachert.Open(cachert.Options{Namespace: "shop", Store: store, Outbox: box})
//	go box.Run(ctx, cache) // the relay, in at least one process
//
// The table is made by a migration of yours: cachegen outbox -dialect postgres prints it.
//
// # How it works
//
// A transaction that runs as a unit of work (package sqltx, Cache.Transact with
// cachert.WithTx, Unit.MarkTx) writes a row with its cells right before COMMIT: row and
// writes are committed together or not at all. After the commit the writer tells the store,
// as always, and then deletes the row, some time later and together with others. A write that
// commits by itself has no transaction to join; its row is committed before it runs.
//
// A row that is still there some time later stands for an invalidation that was not delivered.
// A relay renews its cells, then deletes it. When the relay dies in between it is done again,
// which costs a miss and nothing else. Rows are taken in the order in which they are due, by
// any number of relays at once.
//
// # What it costs
//
// One INSERT in each transaction, and two (one before it) for each write that commits by
// itself; one DELETE for up to a hundred of them. On PostgreSQL the INSERT also notifies
// the relays, and transactions that notify commit one after another: see Options.Quiet.
//
// # What it does not do
//
// It does not make other processes wait: between the death of a writer and the relay's
// delivery an unmarked write may be unseen for Options.Grace and a little more, and so may a
// marked one when the store was down while it was written.
//
// A write that commits by itself and drops tags of its result leaves a row for the whole
// namespace, because the tags are not known beforehand; the namespace is renewed only if the
// process dies, the store cannot be told or the outcome is unknown. Tags of arguments that such a write fills in are not
// in its row: they are lost when the process dies right after the commit.
package outbox
