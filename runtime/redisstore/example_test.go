package redisstore_test

import (
	"context"
	"log"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/redisstore"
)

// One server; a Cluster by several of its addresses; a Sentinel by its options.
func Example() {
	store, err := redisstore.New(rueidis.ClientOption{
		InitAddress: []string{"127.0.0.1:6379"},
		// Sentinel: rueidis.SentinelOption{MasterSet: "shop"},
	}, redisstore.Options{})
	if err != nil {
		log.Fatal(err) // an option that cannot be: a server that is down is no error
	}
	cache, err := cachert.Open(cachert.Options{
		Namespace: "shop",
		Store:     store,
		Lease:     15 * time.Second, // longer than the database lets a write live
	})
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = cache.Close() }()

	for _, f := range cache.Findings() {
		log.Printf("%s: %s", f.Code, f.Text) // what is degraded about the store, and why
	}

	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := cache.Drain(ctx); err != nil { // before the program ends
		log.Print(err)
	}
}
