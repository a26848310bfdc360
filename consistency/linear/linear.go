// Package linear checks samples of a history with porcupine: whole histories of single objects,
// cut where nobody was at work on the object. It asks for more than a floor does: that there is
// ONE order of all calls in which each answer is right.
package linear

import (
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sort"
	"time"

	"github.com/anishathalye/porcupine"

	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// Sample collects the events of some objects.
type Sample struct {
	objects map[uint64][]cachecheck.Event
}

// most bounds the events kept of one object.
const most = 20_000

// NewSample collects events of these objects.
func NewSample(objects ...uint64) *Sample {
	s := &Sample{objects: map[uint64][]cachecheck.Event{}}
	for _, o := range objects {
		s.objects[o] = nil
	}
	return s
}

// Add takes an event; most are of no interest.
func (s *Sample) Add(e cachecheck.Event) {
	list, wanted := s.objects[e.Object]
	if wanted && !e.Final && len(list) < most && (e.Kind == cachecheck.Read || e.Kind == cachecheck.Write || e.Kind == cachecheck.Begin) {
		s.objects[e.Object] = append(list, e)
	}
}

// Result is what porcupine has said.
type Result struct {
	Calls, Pieces, Unknown int
	// Wrong are the files of the visualisations of pieces that have no order.
	Wrong []string
}

// Check checks everything that was collected and writes a visualisation of what is wrong to dir.
func (s *Sample) Check(dir string) (Result, error) {
	var r Result
	for object, events := range s.objects {
		for _, piece := range cut(operations(events)) {
			r.Pieces++
			r.Calls += len(piece)
			verdict, info := porcupine.CheckOperationsVerbose(model, piece, 5*time.Second)
			switch verdict {
			case porcupine.Unknown:
				r.Unknown++
			case porcupine.Illegal:
				file := filepath.Join(dir, fmt.Sprintf("object-%x-%d.html", object, piece[0].Call))
				if len(r.Wrong) < 5 {
					if err := draw(file, info); err != nil {
						return r, err
					}
				}
				r.Wrong = append(r.Wrong, file)
			}
		}
	}
	return r, nil
}

func draw(file string, info porcupine.LinearizationInfo) error {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("linear: %w", err)
	}
	if err := porcupine.Visualize(model, info, f); err != nil {
		return fmt.Errorf("linear: %w", err)
	}
	return f.Close()
}

// grace is how long after its end a call of unknown outcome may still take effect.
const grace = int64(10 * time.Second)

// operations are the calls on one object. One that has begun and of which nothing more is known,
// because its process died, is of unknown outcome.
func operations(events []cachecheck.Event) []porcupine.Operation {
	type call struct {
		process, client uint32
		start           int64
	}
	ended := map[call]bool{}
	for _, e := range events {
		if e.Kind == cachecheck.Write {
			ended[call{e.Process, e.Client, e.Start}] = true
		}
	}
	var ops []porcupine.Operation
	for _, e := range events {
		switch {
		case e.Kind == cachecheck.Begin && ended[call{e.Process, e.Client, e.Start}]:
			continue
		case e.Kind == cachecheck.Write && e.Outcome == cachecheck.Failed:
			continue
		case e.Kind == cachecheck.Begin:
			e.Outcome = cachecheck.Unknown
		}
		end := e.End
		if e.Outcome == cachecheck.Unknown {
			end += grace
		}
		ops = append(ops, porcupine.Operation{ClientId: int(e.Process)<<10 | int(e.Client), Input: e, Call: e.Start, Output: e, Return: end})
	}
	sort.Slice(ops, func(i, j int) bool { return ops[i].Call < ops[j].Call })
	return ops
}

// cut cuts a history where nobody is at work. A call of unknown outcome is no hindrance: it is
// repeated in each piece in which it may still take effect.
func cut(ops []porcupine.Operation) [][]porcupine.Operation {
	var pieces [][]porcupine.Operation
	var piece, open []porcupine.Operation
	end := int64(math.MinInt64)
	for _, op := range ops {
		if op.Call > end && len(piece) > 0 {
			pieces = append(pieces, piece)
			piece = nil
			for _, o := range open {
				if o.Return >= op.Call {
					piece = append(piece, o)
				}
			}
			open = append(open[:0:0], piece...)
		}
		piece = append(piece, op)
		if op.Input.(cachecheck.Event).Outcome == cachecheck.Unknown {
			open = append(open, op)
		} else {
			end = max(end, op.Return)
		}
	}
	return append(pieces, piece)
}
