package simulator

import (
	"testing"
	"testing/synctest"
	"time"
)

// 1. the last who was busy rests, and whoever waits for that is told
// 2. a process that its keeper has let die is restarted: somebody is busy once more
func TestSomebodyIsBusyAfterNobodyWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &world{start: time.Now(), taken: map[time.Duration]bool{}, idle: make(chan struct{}, 1)}
		for range 2 {
			w.begin()
		}
		go w.rest()
		go w.rest()
		<-w.idle
		for range 2 {
			w.begin()
			w.rest()
		}
		if w.busy != 0 || len(w.idle) != 1 {
			t.Errorf("%d are busy, and %d were told of nobody", w.busy, len(w.idle))
		}
	})
}
