package cachert

import (
	"crypto/sha256"
	"encoding/hex"
)

// Every key is at most maxKey bytes long, whatever tenants, names and arguments there are. What
// is longer than its part may be keeps a readable prefix, and is told apart by 128 bits of
// SHA-256 over the whole; '#' stands in front of these and in no part that is written out.
const (
	maxKey       = 512
	maxNamespace = 64
	maxTenant    = 64
	maxName      = 96  // of a tag with its repository, of a repository
	maxArgs      = 128 // of a list of arguments
	maxSlot      = 300 // what stands in braces
)

// shorten returns s, or a text of most bytes that stands for it.
func shorten(s string, most int) string {
	if len(s) <= most {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return s[:most-33] + "#" + hex.EncodeToString(sum[:16])
}
