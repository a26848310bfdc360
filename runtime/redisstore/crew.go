package redisstore

import "github.com/redis/rueidis"

// crew runs operations beside the callers who wait for them: each needs a goroutine of its
// own, because rueidis may keep it longer than its caller has time. One that has run an
// operation waits for the next, for most of what a new goroutine costs is the growing of its
// stack on the way down through rueidis.
type crew struct {
	jobs chan func()
	stay chan struct{} // one token per goroutine that waits
	over chan struct{} // closed by dismiss
}

// maxIdle bounds how many goroutines wait.
const maxIdle = 64

func newCrew() crew {
	return crew{jobs: make(chan func()), stay: make(chan struct{}, maxIdle), over: make(chan struct{})}
}

// dismiss ends those who wait; it is called once. What is started later still runs.
func (c *crew) dismiss() { close(c.over) }

func (c *crew) run(job func()) {
	select {
	case c.jobs <- job:
	default:
		go c.work(job)
	}
}

func (c *crew) work(job func()) {
	for {
		job()
		select {
		case c.stay <- struct{}{}:
		default:
			return
		}
		select {
		case job = <-c.jobs:
			<-c.stay
		case <-c.over:
			return
		}
	}
}

// start runs f on the session's crew; the caller awaits its result.
func (s *session) start(f func() ([]rueidis.RedisMessage, error)) <-chan result[[]rueidis.RedisMessage] {
	done := make(chan result[[]rueidis.RedisMessage], 1)
	s.crew.run(func() {
		value, err := f()
		done <- result[[]rueidis.RedisMessage]{value, err}
	})
	return done
}
