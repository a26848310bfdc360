package check

import (
	"strconv"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/directive"
)

// The limits of maxsize=: below the first not even the names of the tags fit, and above the second
// Redis takes none.
const (
	minSize = 256
	maxSize = 256 << 20
)

// size reads a number of bytes with its unit.
func (c *checker) size(o directive.Option) int {
	units := []struct {
		name  string
		bytes int
	}{{"KB", 1 << 10}, {"MB", 1 << 20}, {"B", 1}} // "B" ends the others, too
	for _, u := range units {
		text, ok := strings.CutSuffix(o.Value.S, u.name)
		n, err := strconv.Atoi(text)
		if !ok || err != nil {
			continue
		}
		if n > maxSize/u.bytes || n*u.bytes < minSize {
			c.Add("CG102", o.Value.Span(), "write a size from 256B to 256MB", "%s is out of range", o.Value.S)
			return 0
		}
		return n * u.bytes
	}
	help := "write 500B, 64KB or 1MB"
	if _, err := strconv.Atoi(o.Value.S); err == nil {
		help = "name the unit: " + o.Value.S + "B or " + o.Value.S + "KB"
	}
	c.Add("CG102", o.Value.Span(), help, "%q is not a size", o.Value.S)
	return 0
}
