// Package trace keeps the last steps of a process in a file that outlives it, so that a schedule
// can be told step by step even when one of its processes was killed.
package trace

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"sort"
	"strings"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/cachegen/cachegen/runtime/cachecheck"
)

const (
	head     = 8 // owes something, or not
	slots    = 1 << 17
	slotSize = 96
	textSize = slotSize - 16
)

// Ring is written by one process. Add is safe for concurrent use.
type Ring struct {
	memory []byte
	next   atomic.Uint64
}

// Create makes the ring of a process.
func Create(dir string, process uint32) (*Ring, error) {
	f, err := os.Create(path(dir, process))
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	defer f.Close()
	if err := f.Truncate(head + slots*slotSize); err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, head+slots*slotSize, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("trace: %w", err)
	}
	return &Ring{memory: m}, nil
}

func path(dir string, process uint32) string { return fmt.Sprintf("%s/%d.steps", dir, process) }

// Add notes a step of a client; what is written while it is read may come out garbled.
func (r *Ring) Add(client uint32, step, on, what string) {
	at := head + (r.next.Add(1)-1)%slots*slotSize
	slot := r.memory[at : at+slotSize]
	binary.LittleEndian.PutUint64(slot, uint64(cachecheck.Now()))
	binary.LittleEndian.PutUint32(slot[8:], client)
	text := slot[16:]
	n := 0
	for _, s := range []string{step, " ", on, " ", what} {
		n += copy(text[n:], s)
	}
	binary.LittleEndian.PutUint32(slot[12:], uint32(n))
}

// Owe says whether the process owes others an invalidation, from now on.
func (r *Ring) Owe(something bool) {
	var owes uint64
	if something {
		owes = 1
	}
	binary.LittleEndian.PutUint64(r.memory, owes)
}

// Owes reports what a process has said by Owe.
func Owes(dir string, process uint32) (bool, error) {
	f, err := os.Open(path(dir, process))
	if err != nil {
		return false, fmt.Errorf("trace: %w", err)
	}
	defer f.Close()
	var b [head]byte
	if _, err := io.ReadFull(f, b[:]); err != nil {
		return false, fmt.Errorf("trace: %w", err)
	}
	return binary.LittleEndian.Uint64(b[:]) != 0, nil
}

// Step is one line of a trace.
type Step struct {
	At              int64
	Process, Client uint32
	Text            string
}

// Read returns the steps of processes between two times.
func Read(dir string, from, to int64, processes ...uint32) ([]Step, error) {
	var out []Step
	for _, p := range processes {
		b, err := os.ReadFile(path(dir, p))
		if err != nil {
			return nil, fmt.Errorf("trace: %w", err)
		}
		for b = b[min(head, len(b)):]; len(b) >= slotSize; b = b[slotSize:] {
			at := int64(binary.LittleEndian.Uint64(b))
			if at < from || at > to {
				continue
			}
			n := min(binary.LittleEndian.Uint32(b[12:]), textSize)
			out = append(out, Step{at, p, binary.LittleEndian.Uint32(b[8:]), string(b[16 : 16+n])})
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].At < out[j].At })
	return out, nil
}

// Explain tells the steps of the two calls of a violation, from the beginning of the older one,
// and those of others that touch the same object.
func Explain(dir string, v cachecheck.Violation, touches func(text string) bool) string {
	from, to := min(v.Missed.Start, v.Read.Start), v.Read.End
	processes := []uint32{v.Read.Process}
	for _, e := range v.Between {
		processes = append(processes, e.Process)
	}
	if v.Missed.Process != 0 {
		processes = append(processes, v.Missed.Process)
	}
	steps, err := Read(dir, from-int64(time.Millisecond), to, unique(processes)...)
	if err != nil {
		return err.Error() + "\n"
	}
	var b strings.Builder
	for _, s := range steps {
		if during(s, v.Read) || during(s, v.Missed) || touches(s.Text) {
			fmt.Fprintf(&b, "    %12v process %d client %-3d %s\n", time.Duration(s.At-from).Round(time.Microsecond), s.Process, s.Client, s.Text)
		}
	}
	return b.String()
}

// Tell tells the last steps of one client, since a time.
func Tell(dir string, process, client uint32, from, to int64) string {
	steps, err := Read(dir, from, to, process)
	if err != nil {
		return err.Error() + "\n"
	}
	var lines []string
	for _, s := range steps {
		if s.Client == client {
			lines = append(lines, fmt.Sprintf("    %12v before: %s\n", time.Duration(to-s.At).Round(time.Microsecond), s.Text))
		}
	}
	return strings.Join(lines[max(0, len(lines)-told):], "")
}

// told is more than the steps of any one call.
const told = 30

// during reports whether a step belongs to the call of e.
func during(s Step, e cachecheck.Event) bool {
	return s.Process == e.Process && s.Client == e.Client && s.At >= e.Start && s.At <= e.End
}

func unique(list []uint32) []uint32 {
	seen := map[uint32]bool{0: true}
	var out []uint32
	for _, p := range list {
		if !seen[p] {
			seen[p] = true
			out = append(out, p)
		}
	}
	return out
}
