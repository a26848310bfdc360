package loadgen

import (
	"math"
	"math/rand/v2"
)

// Zipf draws numbers below n so that the k-th most popular one is drawn with a probability
// proportional to 1/k^theta. It is the constant-time approximation of
//
//	J. Gray, P. Sundaresan, S. Englert, K. Baclawski, P. J. Weinberger:
//	Quickly Generating Billion-Record Synthetic Databases, SIGMOD 1994,
//
// the one that YCSB uses. Like YCSB it scrambles: the popular numbers are spread over the
// whole range, so that no index page holds them all. YCSB hashes the rank, by which some
// numbers meet and others are never drawn; here the rank is multiplied by a number coprime
// to n, which keeps the distribution as it is.
//
// A Zipf is immutable; each goroutine brings its own source of randomness.
type Zipf struct {
	n, stride         uint64
	alpha, eta, zetan float64
	second            float64 // u*zetan below this draws the second most popular
}

// NewZipf prepares draws below n > 0, 0 < theta < 1. It takes time proportional to n.
func NewZipf(n int, theta float64) *Zipf {
	zetan := zeta(n, theta)
	return &Zipf{
		n:      uint64(n),
		stride: coprime(uint64(n)),
		alpha:  1 / (1 - theta),
		eta:    (1 - math.Pow(2/float64(n), 1-theta)) / (1 - zeta(2, theta)/zetan),
		zetan:  zetan,
		second: 1 + math.Pow(0.5, theta),
	}
}

// Draw returns a number below n.
func (z *Zipf) Draw(r *rand.Rand) int { return z.scramble(z.rank(r.Float64())) }

// rank turns a uniform number of [0, 1) into a rank, 0 being the most popular.
func (z *Zipf) rank(u float64) uint64 {
	switch uz := u * z.zetan; {
	case uz < 1:
		return 0
	case uz < z.second:
		return min(1, z.n-1)
	}
	return min(uint64(float64(z.n)*math.Pow(z.eta*u-z.eta+1, z.alpha)), z.n-1)
}

func (z *Zipf) scramble(rank uint64) int { return int((rank*z.stride + z.stride/2) % z.n) }

// zeta is the sum of 1/i^theta for i from 1 to n.
func zeta(n int, theta float64) (sum float64) {
	for i := 1; i <= n; i++ {
		sum += 1 / math.Pow(float64(i), theta)
	}
	return sum
}

// coprime returns a number coprime to n near n divided by the golden ratio: multiples of it
// spread evenly.
func coprime(n uint64) uint64 {
	a := max(1, uint64(float64(n)*0.6180339887))
	for gcd(a, n) != 1 {
		a++
	}
	return a
}

func gcd(a, b uint64) uint64 {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}
