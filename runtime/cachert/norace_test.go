//go:build !race

package cachert_test

const manySeeds = 10_000
