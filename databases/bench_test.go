package databases

import (
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/outbox"
)

// BenchmarkTransaction shows what a row costs, on PostgreSQL without durability: there the rest
// of a transaction is cheapest.
func BenchmarkTransaction(b *testing.B) {
	for name, onerror := range map[string]cachert.OnError{"proceed": cachert.OnErrorProceed, "outbox": cachert.OnErrorOutbox} {
		b.Run(name, func(b *testing.B) {
			k := newCounter(b, config{Database: newDatabase(b, outbox.Postgres), OnError: onerror})
			b.ResetTimer()
			for b.Loop() {
				if err := k.change(b.Context()); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
