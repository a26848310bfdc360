// Package bookshop is the domain of an ordinary application: books, authors, orders and
// sessions, stored by package sqlstore in SQLite or PostgreSQL through sqlx.
//
// Start reading at book.go. Each file of this package holds one domain: its types and its
// repository, an interface whose methods carry //cachegen: directives, which say what the
// cache in front of it may keep and what each write makes old. The generator that will write
// the wrappers from them is not there yet; until then nothing here is cached.
package bookshop
