//go:build unix

package loadgen

import (
	"fmt"
	"os"
	"sync/atomic"
	"syscall"
	"time"
	"unsafe"
)

// OpenLedger is NewLedger with the settled floor in a file that several processes map: what
// one of them acknowledges, all check. The file is made when it is not there.
func OpenLedger(path string, n int, bound time.Duration) (*Ledger, error) {
	l := NewLedger(n, bound)
	size := len(l.words) * int(unsafe.Sizeof(atomic.Uint64{}))
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("loadgen: %w", err)
	}
	defer file.Close()
	if err := file.Truncate(int64(size)); err != nil {
		return nil, fmt.Errorf("loadgen: %w", err)
	}
	memory, err := syscall.Mmap(int(file.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("loadgen: map %s: %w", path, err)
	}
	// Pages are aligned far beyond a word, and an atomic.Uint64 is a word and nothing else.
	l.words = unsafe.Slice((*atomic.Uint64)(unsafe.Pointer(unsafe.SliceData(memory))), len(l.words))
	l.close = func() error { return syscall.Munmap(memory) }
	return l, nil
}
