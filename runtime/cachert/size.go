package cachert

import (
	"encoding/binary"
	"slices"
)

// DefaultMaxSize is the MaxSize of a read that has none: 1 MiB.
const DefaultMaxSize = 1 << 20

// maxGeneration bounds the length of a generation that Cache.fresh makes.
const maxGeneration = 48

func (r *Reader[V]) maxSize() int { return withDefault(r.policy.MaxSize, DefaultMaxSize) }

// oversized reports, and counts, that a value is too large to be stored under the
// generations of cells.
func (r *Reader[V]) oversized(payload []byte, cells []string) bool {
	size := envelopeHead + 1 + 5*binary.MaxVarintLen64 + len(payload)
	for _, c := range cells {
		size += len(c) + maxGeneration + 2*binary.MaxVarintLen16
	}
	if size <= r.maxSize() && len(cells) <= maxDeps {
		return false
	}
	r.stats.oversized.Add(1)
	return true
}

// plausible reports that an entry from the store can be one of this read. An entry that names
// what is no cell of this namespace must not be followed: whoever asks for a cell makes it.
func (r *Reader[V]) plausible(e envelope) bool {
	if e.kind == kindError && e.sentinel >= len(r.policy.NotFound) {
		return false
	}
	return !slices.ContainsFunc(e.deps, func(d dep) bool { return !r.repo.cache.keys.isCell(d.cell) })
}
