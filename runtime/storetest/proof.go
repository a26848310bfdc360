package storetest

import (
	"time"

	"github.com/cachegen/cachegen/runtime/store"
)

// proved reports whether a fence sent at t or later has been answered behind a promise.
func proved(l *store.Live, t time.Time) bool {
	now := time.Now()
	return l.Proof().Within(now, now.Sub(t))
}

var proofCases = []testcase{
	{"promises are kept proved as young as was asked for", func(s *suite) {
		_, live := s.live(s.Store, s.cell())
		s.Store.Prove(time.Hour)
		s.Store.Prove(100 * time.Millisecond)
		s.Store.Prove(time.Minute) // the least counts
		s.Store.Prove(0)           // asks for nothing
		for range 3 {
			t := time.Now()
			s.eventually("a promise is proved again", func() bool { return proved(live, t) })
			if !live.Alive() {
				s.Fatal("the promise has ended, and nothing has changed")
			}
		}
	}},
	{"a promise that is proved later than a change has ended", func(s *suite) {
		lags := s.Store.Prove(20 * time.Millisecond)
		cell := s.cell()
		for range s.rounds(100) {
			_, live := s.live(s.Store, cell)
			w := s.token()
			s.mark(s.Other, w, long, cell)
			if t := time.Now(); lags {
				s.eventually("the promise is proved again", func() bool { return proved(live, t) })
			}
			if live.Alive() {
				s.Fatal("alive after a mark of another client, as if it were proved")
			}
			s.post(s.Other, w, cell, store.Taken)
		}
	}},
	{"a server that hangs proves nothing", func(s *suite) {
		if s.Hang == nil {
			s.Skip("cannot hang")
		}
		s.Store.Prove(100 * time.Millisecond)
		_, live := s.live(s.Store, s.cell())
		before := time.Now()
		s.eventually("a promise is proved", func() bool { return proved(live, before) })
		resume := s.Hang(s.T)
		defer resume()
		hung := time.Now()
		s.eventually("a server that hangs is given up", func() bool { return !live.Alive() })
		if proved(live, hung) {
			s.Error("proved by a server that has answered nothing since")
		}
	}},
}
