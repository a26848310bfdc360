package simulator

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// step is one step of the schedule and all that is drawn for it.
type step struct {
	w     *world
	id    string
	state uint64
}

// step names the next step of its kind. It may be called by anybody who is awake.
func (w *world) step(parts ...string) *step {
	id := strings.Join(parts, " ")
	w.mu.Lock()
	n := w.counts[id]
	w.counts[id]++
	w.steps++
	w.mu.Unlock()
	id += " " + strconv.Itoa(n)
	state := uint64(14695981039346656037)
	for i := range len(id) {
		state = (state ^ uint64(id[i])) * 1099511628211
	}
	return &step{w: w, id: id, state: mix(state ^ mix(w.config.Seed+1))}
}

// mix is the finaliser of SplitMix64 (Steele, Lea and Flood, 2014).
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

func (s *step) next() uint64 {
	s.state = mix(s.state)
	return s.state
}

// n draws from 0 to n-1.
func (s *step) n(n int) int { return int(s.next() % uint64(n)) }

func (s *step) chance(permille int) bool { return s.n(1000) < permille }

// within draws a duration up to d, uneven so that it meets no other.
func (s *step) within(d time.Duration) time.Duration {
	return time.Duration(s.next()%uint64(d)) + 1
}

// way draws how long a message travels: mostly briefly, at times up to the longest.
func (s *step) way() time.Duration {
	if s.chance(750) {
		return s.within(travel / 16)
	}
	return s.within(travel)
}

// fault draws whether something goes wrong with this step, and says so.
func (s *step) fault(what string, permille int) bool {
	if !s.chance(permille) || s.w.quiet.Load() {
		return false
	}
	name := s.id + ": " + what
	if s.w.config.Without[name] {
		return false
	}
	s.w.mu.Lock()
	s.w.faults = append(s.w.faults, name)
	s.w.mu.Unlock()
	s.note("FAULT " + what)
	return true
}

// note adds a line to the schedule.
func (s *step) note(text string) {
	if s.w.config.Trace {
		s.w.note(s.id + ": " + text)
	}
}

type line struct {
	at   time.Duration
	text string
}

func (w *world) note(text string) {
	if !w.config.Trace {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.lines = append(w.lines, line{time.Since(w.start), text})
}

// schedule numbers the lines. Those of one moment cannot tell who came first; they stand in
// the order of their text.
func (w *world) schedule() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.SortStableFunc(w.lines, func(a, b line) int {
		if a.at != b.at {
			return int(a.at - b.at)
		}
		return strings.Compare(a.text, b.text)
	})
	var b strings.Builder
	for i, l := range w.lines {
		fmt.Fprintf(&b, "%4d %12v  %s\n", i+1, l.at, l.text)
	}
	return b.String()
}

// after runs f at a moment that nobody else has, about d from now.
func (w *world) after(d time.Duration, f func()) { time.AfterFunc(w.moment(d), f) }

// sleep waits likewise, or until the process dies.
func (w *world) sleep(p *process, d time.Duration) {
	timer := time.NewTimer(w.moment(d))
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-p.dead:
	}
}

func (w *world) moment(d time.Duration) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Since(w.start)
	at := now + d
	for w.taken[at] {
		at++
	}
	w.taken[at] = true
	return at - now
}
