// Package bookshop is an ordinary application with a cache in front of its database: books,
// authors, orders and sessions, an HTTP API, and a load that shows what the cache does.
//
// Start reading at book.go. Each file of this package holds one domain: its types and its
// repository, an interface whose methods carry //cachegen: directives, which say what the
// cache may keep and what each write makes old. [Cached] puts the wrappers that follow from
// them (*_cached.go) in front of the repositories that talk to the database (package
// sqlstore). The wrappers are written by hand for as long as the generator is not there.
package bookshop
