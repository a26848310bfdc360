package cachecheck

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"time"
)

// Level is the consistency level of a call. The levels are those of package cachert.
type Level uint8

// The levels, weakest first.
const (
	Eventual Level = iota
	Bounded
	Session
	Strict
	Leased
	levels
)

var levelNames = [...]string{"eventual", "bounded", "session", "strict", "leased"}

// String returns the directive's word for l.
func (l Level) String() string { return levelNames[min(l, levels-1)] }

// ParseLevel is the inverse of String.
func ParseLevel(word string) (Level, error) {
	for l, name := range levelNames {
		if name == word {
			return Level(l), nil
		}
	}
	return 0, fmt.Errorf("cachecheck: level %q: use one of %v", word, levelNames)
}

// Kind says what an Event is about.
type Kind uint8

// The kinds.
const (
	// Begin announces a write, so that it is known even if its process dies inside it.
	Begin Kind = iota + 1
	// Read and Write are about one object each; a call may make several.
	Read
	Write
	// Note counts faults that a process has done to itself: Object is their index, Version how many.
	Note
	// Done says that a client makes no more calls for the time being; with Outcome Unknown that
	// its process has died, perhaps inside a call.
	Done
	// Debt says that from now on its process owes others an invalidation that it could not
	// deliver, or, where Present is false, that it owes nothing any more.
	Debt
)

// Outcome is what became of a call.
type Outcome uint8

// The outcomes.
const (
	// OK: the call returned without an error. The only outcome of a Read.
	OK Outcome = iota
	// Failed: certainly nothing was changed.
	Failed
	// Unknown: something may have been changed, and nobody knows at which version.
	Unknown
)

// Event is one thing that a client did to one object. Start and End are in ns by Now.
type Event struct {
	Kind    Kind
	Outcome Outcome
	Level   Level
	// View tells ways apart in which the same object is read (by itself, in a list, through an
	// index): at level session each view is an object of its own as far as reads are concerned.
	View uint8
	// Present is false for a deletion, and for a read that found nothing; such a read has no
	// Version. In a Begin it says what the write is about to make of the object.
	Present bool
	// Call marks one event of each call, so that calls can be counted.
	Call bool
	// Final marks a read made after all had become quiet.
	Final bool
	// Process is a number for each start of a process; Client counts within it. Calls of
	// one client do not overlap.
	Process, Client uint32
	Object          uint64
	Version, Value  uint64
	Start, End      int64
}

const eventSize = 56

const (
	flagPresent = 1 << iota
	flagCall
	flagFinal
)

// Append appends the binary form of e to b: 56 bytes.
func (e Event) Append(b []byte) []byte {
	flags := flag(e.Present, flagPresent) | flag(e.Call, flagCall) | flag(e.Final, flagFinal)
	b = append(b, byte(e.Kind), byte(e.Outcome), byte(e.Level), e.View, flags, 0, 0, 0)
	b = binary.LittleEndian.AppendUint32(b, e.Process)
	b = binary.LittleEndian.AppendUint32(b, e.Client)
	for _, v := range [...]uint64{e.Object, e.Version, e.Value, uint64(e.Start), uint64(e.End)} {
		b = binary.LittleEndian.AppendUint64(b, v)
	}
	return b
}

func flag(set bool, bit byte) byte {
	if set {
		return bit
	}
	return 0
}

var errEvent = errors.New("cachecheck: not an event")

// ReadEvent reads one event. It returns io.EOF at the end, also in the middle of an event: a
// process that was killed may have written a part of one.
func ReadEvent(r io.Reader) (Event, error) {
	var b [eventSize]byte
	if _, err := io.ReadFull(r, b[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return Event{}, err
	}
	return decode(b[:])
}

// decode is the inverse of Append.
func decode(b []byte) (Event, error) {
	u32, u64 := binary.LittleEndian.Uint32, binary.LittleEndian.Uint64
	e := Event{
		Kind: Kind(b[0]), Outcome: Outcome(b[1]), Level: Level(b[2]), View: b[3],
		Present: b[4]&flagPresent != 0, Call: b[4]&flagCall != 0, Final: b[4]&flagFinal != 0,
		Process: u32(b[8:]), Client: u32(b[12:]),
		Object: u64(b[16:]), Version: u64(b[24:]), Value: u64(b[32:]),
		Start: int64(u64(b[40:])), End: int64(u64(b[48:])),
	}
	if e.Kind < Begin || e.Kind > Debt || e.Outcome > Unknown || e.Level >= levels || e.Start > e.End {
		return Event{}, errEvent
	}
	return e, nil
}

// what says in a few words what e did.
func (e Event) what() string {
	switch {
	case e.Kind == Begin && e.Present:
		return "begins to write"
	case e.Kind == Begin:
		return "begins to delete"
	case e.Kind == Write && e.Outcome == Unknown:
		return "write of unknown outcome"
	case e.Kind == Write && e.Outcome == Failed:
		return "write that failed"
	case e.Kind == Write && !e.Present:
		return fmt.Sprintf("deleted at version %d", e.Version)
	case e.Kind == Write:
		return fmt.Sprintf("wrote version %d", e.Version)
	case !e.Present:
		return "read: not there"
	}
	return fmt.Sprintf("read version %d", e.Version)
}

// line describes e with times relative to zero.
func (e Event) line(zero int64) string {
	at := func(t int64) time.Duration { return time.Duration(t - zero).Round(time.Microsecond) }
	return fmt.Sprintf("%12v .. %-12v process %d client %-3d %-8v view %d: %s", at(e.Start), at(e.End), e.Process, e.Client, e.Level, e.View, e.what())
}
