package cachert

import (
	"strconv"
	"strings"
	"testing"
)

// A digit of the number must not look like what stands behind it.
func TestAGenerationNamesItsServer(t *testing.T) {
	c := newShop(t, nil).cache
	for i := range uint64(1000) {
		server := i * 0x9e3779b97f4a7c15
		c.server.Store(server)
		if name, _, _ := strings.Cut(string(c.fresh()), "x"); name != strconv.FormatUint(server, generationBase) {
			t.Fatalf("server %d: named %q", server, name)
		}
	}
}
