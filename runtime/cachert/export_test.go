package cachert

import (
	"hash/maphash"
	"time"
)

// OpenWith is Open with nothing left to chance that can be seen from outside: the keeper's
// pauses are drawn by pause, and in the near cache no two of keys share a turn.
func OpenWith(o Options, pause func(atMost time.Duration) time.Duration, keys []string) (*Cache, error) {
	o.pause = pause
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
