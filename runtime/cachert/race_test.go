//go:build race

package cachert_test

// The race detector makes a seed five times slower and keeps some 200 KB for each; make test
// runs them all without it, too.
const manySeeds = 1000
