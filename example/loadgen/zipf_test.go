package loadgen

import (
	"math"
	"math/rand/v2"
	"testing"
)

// The approximation is exact for the two most popular ranks. For the others the paper's
// inverse is a smooth curve, so ranges of ranks are compared.
func TestZipfDistribution(t *testing.T) {
	const n, draws, theta = 10_000, 2_000_000, 0.99
	z := NewZipf(n, theta)
	r := rand.New(rand.NewPCG(1, 2))
	count := make([]int, n)
	for range draws {
		count[z.rank(r.Float64())]++
	}
	zetan := zeta(n, theta)
	for _, ranks := range []struct {
		from, to  int // from <= rank < to
		tolerance float64
	}{
		{0, 1, 0.01}, {1, 2, 0.02}, {2, 10, 0.15}, {10, 100, 0.05}, {100, 1000, 0.05}, {1000, n, 0.05},
	} {
		got, want := 0, 0.0
		for k := ranks.from; k < ranks.to; k++ {
			got += count[k]
			want += draws / math.Pow(float64(k+1), theta) / zetan
		}
		if off := math.Abs(float64(got)-want) / want; off > ranks.tolerance {
			t.Errorf("ranks %d to %d: drawn %d times, want %.0f: %.1f %% off", ranks.from, ranks.to-1, got, want, 100*off)
		}
	}
}

func TestZipfScramblesWithoutCollisions(t *testing.T) {
	for _, n := range []int{1, 2, 3, 10, 97, 1000, 4096, 100_000} {
		z := NewZipf(n, 0.99)
		seen := make([]bool, n)
		for rank := range n {
			at := z.scramble(uint64(rank))
			if at < 0 || at >= n || seen[at] {
				t.Fatalf("n=%d: rank %d becomes %d, which is taken or out of range", n, rank, at)
			}
			seen[at] = true
		}
	}
}

func TestZipfSpreadsThePopular(t *testing.T) {
	const n = 100_000
	z := NewZipf(n, 0.99)
	var tenths [10]int
	for rank := range uint64(100) {
		tenths[z.scramble(rank)*10/n]++
	}
	for i, hits := range tenths {
		if hits < 5 || hits > 15 {
			t.Errorf("%d of the 100 most popular lie in tenth %d of the range, want about 10", hits, i)
		}
	}
}
