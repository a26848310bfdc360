package cachert

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

//  1. an attempt names book 1 and is marked; its COMMIT is sent, and the connection is lost
//  2. the body runs again and names book 2; the mark fails, and the writes are refused
//  3. what the second attempt has marked is taken back. Were the marker of book 1 taken back with
//     it, a reader could store what it holds
//  4. the first COMMIT takes effect, and nobody tells of it
func TestARefusedAttemptLeavesTheMarkersOfAnEarlierOne(t *testing.T) {
	for name, names := range map[string][2]int64{"another book": {1, 2}, "the same book": {1, 1}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newTxShop(t, func(w *WritePolicy) { w.OnError = OnErrorFail })
				outside, attempt := context.Background(), 0
				tr := &Transactor{cache: s.cache}
				conflict := func() error { return errConflict }
				err := s.transact(outside, tr, []func() error{conflict, well}, func(_ context.Context, h handed) error {
					if attempt++; attempt == 2 {
						s.store.set("mark")
					}
					return h.bump(names[attempt-1])
				})
				if !errors.Is(err, ErrRefused) {
					t.Fatalf("%v, want ErrRefused", err)
				}
				s.store.set()
				<-time.After(2 * time.Second) // the store is trusted again
				s.want(outside, 1, 1)
				synctest.Wait()
				s.rows[1] = book{ID: 1, Version: 2}
				s.want(outside, 2, 1)
				<-time.After(15 * time.Second) // its lease is over
				s.want(outside, 2, 1)
				synctest.Wait()
				s.want(outside, 2, 0)
				_ = s.cache.Close()
			})
		})
	}
}
