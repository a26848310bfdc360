package cachert_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// A counter per id behind a cache: what generated code does, by hand.
func Example() {
	cache, err := cachert.Open(cachert.Options{Namespace: "example"})
	if err != nil {
		panic(err)
	}
	defer func() { _ = cache.Close() }()

	database := map[int64]uint64{7: 1}
	repo := cache.Repo(cachert.RepoPolicy{Name: "counters"})
	byID := cachert.NewReader(repo, cachert.ReadPolicy[uint64]{
		Method: "ByID", Key: "ByID", Schema: "uint64", TTL: time.Minute,
		Codec: cachert.Codec[uint64]{
			Append: func(b []byte, v uint64) ([]byte, error) { return binary.BigEndian.AppendUint64(b, v), nil },
			Decode: func(b []byte) (uint64, error) { return binary.BigEndian.Uint64(b), nil },
		},
	})
	increment := cachert.NewWriter(repo, cachert.WritePolicy{Method: "Increment"})

	tags := func(t *cachert.Tags) { t.Tag("counters/counter").Int(7) }
	call := cachert.Call[uint64]{Key: cachert.NewArgs().Int(7), Tags: tags}
	load := func(context.Context) (uint64, error) {
		fmt.Println("the database is asked")
		return database[7], nil
	}

	ctx := context.Background()
	for range 2 {
		v, _ := byID.Get(ctx, call, load)
		fmt.Println("counter", v)
	}
	_ = increment.Do(ctx, cachert.Change{
		Tags: tags,
		Run:  func(context.Context) error { database[7]++; return nil },
	})
	v, _ := byID.Get(ctx, call, load)
	fmt.Println("counter", v)
	// Output:
	// the database is asked
	// counter 1
	// counter 1
	// the database is asked
	// counter 2
}
