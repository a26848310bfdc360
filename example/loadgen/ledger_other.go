//go:build !unix

package loadgen

import (
	"errors"
	"time"
)

// OpenLedger shares a ledger between processes, which this system is not taught to do.
func OpenLedger(string, int, time.Duration) (*Ledger, error) {
	return nil, errors.New("loadgen: two processes can share a ledger on Unix only: run the demo with one")
}
