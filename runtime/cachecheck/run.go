package cachecheck

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"
)

// Fault is something that Run does to the processes or servers from outside.
type Fault struct {
	Name string
	// Outside says that it breaks what the levels assume: violations until Void after its end
	// are counted as void, of Rule alone where that is given. Quiescence is judged all the same.
	Outside bool
	Void    time.Duration
	Rule    string
	// Inject does it and returns when it is healed. An error ends the run.
	Inject func(ctx context.Context) error
}

// Plan is a run.
type Plan struct {
	// Program is the file of a program that calls Worker; empty means this one.
	Program string
	// Config is handed to each worker as it is.
	Config string
	Level  Level
	// Processes run at the same time with Clients goroutines each. 0 means 3 and 8.
	Processes, Clients int
	// Calls is how many calls are judged at least; each fault is injected once at least.
	Calls uint64
	// Until, if not 0, ends the run as soon as so many promises have been broken: to find a
	// broken layer out takes no more.
	Until uint64
	// Seeds is what the database holds before the run.
	Seeds func(ctx context.Context) (map[uint64]State, error)
	// Truth is what the database holds when all is quiet.
	Truth func(ctx context.Context) (map[uint64]State, error)
	// Faults are injected one after the other in random order, each time after a random pause
	// around Every. Faults that a process does to itself are not listed: see Op.Note.
	Faults []Fault
	Every  time.Duration
	// Rest bounds how long all may take to come to rest, and Settle how long something stale
	// may then still be read. 0 means a minute and 5 s.
	Rest, Settle time.Duration
	Rules        Rules
	Seed         uint64
	// Started, if not nil, is told of each process, so that faults can find it.
	Started func(s Setup, pid int)
	// Event, if not nil, sees each event in the judge's order.
	Event func(Event)
}

// Result is what a run has found.
type Result struct {
	Report
	// Faults counts those that were injected, Kills the processes that died by themselves.
	Faults map[string]uint64
	Kills  uint64
	// Stats sums up what the processes that lived to the end have counted.
	Stats map[string]uint64
	Took  time.Duration
}

// Run starts processes, lets them make calls, injects faults, replaces processes that die, and
// judges all the while. An error says that the run could not be carried out, not that a promise
// was broken.
func Run(ctx context.Context, p Plan) (Result, error) {
	if err := p.complete(); err != nil {
		return Result{}, err
	}
	seeds, err := p.Seeds(ctx)
	if err != nil {
		return Result{}, err
	}
	c := newCoordinator(p)
	defer c.close()
	c.seed(seeds)
	begun := time.Now()
	for slot := range p.Processes {
		if err := c.start(uint32(slot)); err != nil {
			return Result{}, err
		}
	}
	if err := c.injectUntilDone(ctx); err != nil {
		return Result{}, err
	}
	if err := c.quiesce(ctx); err != nil {
		return Result{}, err
	}
	r := Result{Report: c.judge.Report(), Faults: c.faults, Kills: c.kills, Stats: c.stats, Took: time.Since(begun)}
	return r, nil
}

func (p *Plan) complete() error {
	if p.Seeds == nil || p.Truth == nil {
		return errors.New("cachecheck: a Plan needs Seeds and Truth")
	}
	if p.Program == "" {
		self, err := os.Executable()
		if err != nil {
			return fmt.Errorf("cachecheck: %w", err)
		}
		p.Program = self
	}
	defaults(&p.Processes, 3)
	defaults(&p.Clients, 8)
	defaults(&p.Calls, 100_000)
	defaults(&p.Every, 300*time.Millisecond)
	defaults(&p.Rest, time.Minute)
	defaults(&p.Settle, 5*time.Second)
	return nil
}

func defaults[T comparable](v *T, to T) {
	var zero T
	if *v == zero {
		*v = to
	}
}
