// Package bookshop is an ordinary application with a cache in front of its database: books,
// authors, orders and sessions, an HTTP API, and a load that shows what the cache does.
//
// Start reading at book.go. Each file of this package holds one domain: its types and its
// repository, an interface whose methods carry //cachegen: directives. From those,
// `go generate` writes the wrapper beside it (book.go -> book_cachegen.go), and [Cached]
// puts the wrappers in front of the repositories that talk to the database (package
// sqlstore). Nothing else in the application knows that there is a cache.
package bookshop

//go:generate go tool cachegen
