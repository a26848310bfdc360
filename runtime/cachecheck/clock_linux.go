package cachecheck

import (
	"syscall"
	"unsafe"
)

// Now is the time in ns since an arbitrary moment, by a clock that never goes back and that all
// processes of the machine share: CLOCK_MONOTONIC.
func Now() int64 {
	const monotonic = 1
	var ts syscall.Timespec
	if _, _, errno := syscall.RawSyscall(syscall.SYS_CLOCK_GETTIME, monotonic, uintptr(unsafe.Pointer(&ts)), 0); errno != 0 {
		panic("cachecheck: clock_gettime: " + errno.Error())
	}
	return ts.Nano()
}
