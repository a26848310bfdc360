//go:build !linux

package cachecheck

import "time"

// Now is the time in ns by a clock that all processes of the machine share. Here it is the wall
// clock, which somebody may set back: a run during which that happens proves nothing.
func Now() int64 { return time.Now().UnixNano() }
