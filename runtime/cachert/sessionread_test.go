package cachert

import (
	"testing"
	"time"
)

// 1. a session has noted as much as it can hold, a change of book 1 among it, and that the store
// may not know of a write to author 7
// 2. what is near is older than the change of book 1, and shows that the store knows of the write
// 3. which makes one note more, so that one about everything stands for all: in step 2, too
func TestANoteIsNotForgottenWhileItIsAskedFor(t *testing.T) {
	c := newShop(t, nil).cache
	s, now := c.NewSession(""), c.now()
	author, one := hashOf("author 7"), hashOf("book 1")
	s.told[one] = note{period: 2, at: now, until: now.Add(time.Hour)}
	for i := range uint64(maxTold - 1) {
		s.told[1000+i] = note{period: 1, at: now, until: now.Add(time.Hour)}
	}
	s.open[author] = note{after: now.Add(-time.Minute), until: now.Add(time.Hour)}
	e := &nearEntry{proof: proof{
		asked: now.Add(-time.Second),
		deps:  []nearDep{{cell: author, period: 7, gen: c.fresh()}, {cell: one, period: 1, gen: c.fresh()}},
	}}
	if s.believes(c, hashOf("the list"), e) {
		t.Error("what is older than the session knows was believed")
	}
}

// 1. a bump reads the clock for its generation, and reaches the store nearly StoreTimeout later
// 2. as long after that as the bound allows, another process is answered near: the old version
// 3. here the session is answered with the new one: what it was read under is older than the bound
func TestAReadIsNotedWhileItsGenerationWasOnTheWay(t *testing.T) {
	c := newShop(t, nil).cache
	on := c.nearAge() + c.opt.ClockSkew + c.opt.StoreTimeout
	for made, noted := range map[time.Duration]bool{on - time.Millisecond: true, on + time.Millisecond: false} {
		s, now := c.NewSession(""), c.now()
		s.read(c, hashOf("book 1"), 1, now.Add(-made), now)
		if got := len(s.told) > 0; got != noted {
			t.Errorf("made %v ago: noted %v, want %v", made, got, noted)
		}
	}
}
