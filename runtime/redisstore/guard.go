package redisstore

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

var (
	errClosed    = errors.New("redisstore: closed")
	errUnproven  = errors.New("redisstore: no connection that a probe has found good")
	errReconnect = errors.New("redisstore: the connection was lost; what answers now has to be probed first")
	errNewServer = errors.New("redisstore: keys have moved to a server that has to be probed first")
)

// guard runs f and waits for it no longer than ctx allows. rueidis itself does not promise
// that: a caller waits while another goroutine dials (a deadline of 100 ms took 4.99 s), and
// while the queue of a server that hangs is full. What f returns too late is handed to late,
// if there is one.
func guard[T any](ctx context.Context, f func() (T, error), late func(T)) (T, error) {
	if err := ctx.Err(); err != nil {
		var none T
		return none, down(err)
	}
	return await(ctx, start(f), late)
}

type result[T any] struct {
	value T
	err   error
}

// start runs f beside the caller, who awaits its result.
func start[T any](f func() (T, error)) <-chan result[T] {
	done := make(chan result[T], 1)
	go func() {
		value, err := f()
		done <- result[T]{value, err}
	}()
	return done
}

func await[T any](ctx context.Context, done <-chan result[T], late func(T)) (T, error) {
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
	}
	if late != nil {
		go func() {
			if r := <-done; r.err == nil {
				late(r.value)
			}
		}()
	}
	var none T
	return none, down(ctx.Err())
}

// down wraps the reason why the store cannot be used.
func down(err error) error {
	if err == nil || errors.Is(err, store.ErrDown) {
		return err
	}
	return fmt.Errorf("%w: %w", store.ErrDown, err)
}

// notNow are the beginnings of errors by which a server says that it cannot serve this key,
// or anything, at the moment. Any other error reply (no memory, no permission) is not about
// being reached.
var notNow = []string{"LOADING", "READONLY", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "BUSY", "NOREPLICAS", "MOVED", "ASK"}

// failure turns the error of a result into what the store returns; nil replies are none.
func failure(err error) error {
	if err == nil || rueidis.IsRedisNil(err) {
		return nil
	}
	reply, ok := rueidis.IsRedisErr(err)
	if !ok {
		return down(err)
	}
	for _, prefix := range notNow {
		if strings.HasPrefix(reply.Error(), prefix) {
			return down(err)
		}
	}
	return fmt.Errorf("cachegen: redisstore: %w", err)
}
