package cachert

import "hash/maphash"

// OpenWith is Open with all randomness from random, and in whose near cache no two of keys
// share a turn.
func OpenWith(o Options, random func() uint64, keys []string) (*Cache, error) {
	o.random = random
	c, err := Open(o)
	for c != nil && !c.near.apart(keys) {
		c.near.seed = maphash.MakeSeed()
	}
	return c, err
}

func (n *nearCache) apart(keys []string) bool {
	taken := map[*turn]bool{}
	for _, k := range keys {
		_, t := n.place(k)
		if taken[t] {
			return false
		}
		taken[t] = true
	}
	return true
}
