package linear

import (
	"fmt"

	"github.com/anishathalye/porcupine"

	"github.com/cachegen/cachegen/runtime/cachecheck"
)

// state is what an object is like between two calls, as far as it is known.
type state struct {
	known   bool
	present bool
	version uint64 // 0: any
	value   uint64
	any     bool // any value: a write of unknown outcome has left it
}

// model is one object whose versions the database counts.
var model = (&porcupine.NondeterministicModel{
	Init: func() []any { return []any{state{}} },
	Step: func(s, _, output any) []any {
		before, e := s.(state), output.(cachecheck.Event)
		switch {
		case e.Kind == cachecheck.Read:
			return read(before, e)
		case e.Outcome == cachecheck.Unknown:
			after := state{known: true, present: e.Present, any: true}
			if before.version > 0 {
				after.version = before.version + 1
			}
			return []any{before, after}
		case before.version > 0 && e.Version != before.version+1:
			return nil
		}
		return []any{state{known: true, present: e.Present, version: e.Version, value: e.Value}}
	},
	DescribeOperation: func(_, output any) string {
		e := output.(cachecheck.Event)
		switch {
		case e.Kind == cachecheck.Read && !e.Present:
			return "read: not there"
		case e.Kind == cachecheck.Read:
			return fmt.Sprintf("read %d", e.Version)
		case e.Outcome == cachecheck.Unknown:
			return "write?"
		case !e.Present:
			return fmt.Sprintf("delete %d", e.Version)
		}
		return fmt.Sprintf("write %d", e.Version)
	},
	DescribeState: func(s any) string { return fmt.Sprintf("%+v", s) },
}).ToModel()

func read(before state, e cachecheck.Event) []any {
	after := state{known: true, present: e.Present, version: e.Version, value: e.Value}
	switch {
	case !before.known:
		return []any{after}
	case before.present != e.Present:
		return nil
	case !e.Present:
		return []any{before}
	case before.version > 0 && before.version != e.Version, !before.any && before.version > 0 && before.value != e.Value:
		return nil
	}
	return []any{after}
}
