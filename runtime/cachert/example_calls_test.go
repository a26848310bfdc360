package cachert_test

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// greetings is a read by hand, with the source it asks.
type greetings struct {
	source string
	read   *cachert.Reader[string]
}

func newGreetings(cache *cachert.Cache, tenant func(context.Context) (string, bool)) *greetings {
	repo := cache.Repo(cachert.RepoPolicy{Name: "greetings", Tenant: tenant})
	return &greetings{source: "hello", read: cachert.NewReader(repo, cachert.ReadPolicy[string]{
		Method: "Get", Key: "Get", Schema: "string", TTL: time.Minute,
		Codec: cachert.Codec[string]{
			Append: func(b []byte, v string) ([]byte, error) { return append(b, v...), nil },
			Decode: func(b []byte) (string, error) { return string(b), nil },
		},
	})}
}

func (g *greetings) get(ctx context.Context) string {
	call := cachert.Call[string]{Tags: func(t *cachert.Tags) { t.Tag("greetings/all") }}
	v, _ := g.read.Get(ctx, call, func(context.Context) (string, error) { return g.source, nil })
	return v
}

func open() *cachert.Cache {
	cache, err := cachert.Open(cachert.Options{Namespace: "example"})
	if err != nil {
		panic(err)
	}
	return cache
}

// A program that goes around the wrapper tells the cache afterwards.
func ExampleCache_Invalidate() {
	cache := open()
	defer func() { _ = cache.Close() }()
	g, ctx := newGreetings(cache, nil), context.Background()
	fmt.Println(g.get(ctx))
	_ = cache.Drain(ctx) // let the fill end

	g.source = "good morning" // as raw SQL would
	fmt.Println(g.get(ctx))
	_ = cache.Invalidate(ctx, func(t *cachert.Tags) { t.Tag("greetings/all") })
	fmt.Println(g.get(ctx))
	// Output:
	// hello
	// hello
	// good morning
}

// One call may ask the source itself.
func ExampleBypass() {
	cache := open()
	defer func() { _ = cache.Close() }()
	g, ctx := newGreetings(cache, nil), context.Background()
	_ = g.get(ctx)
	_ = cache.Drain(ctx)

	g.source = "good morning"
	fmt.Println(g.get(ctx))
	fmt.Println(g.get(cachert.Bypass(ctx)))
	// Output:
	// hello
	// good morning
}

// Tenants never see each other's entries.
func ExampleWithTenant() {
	cache := open()
	defer func() { _ = cache.Close() }()
	g := newGreetings(cache, cachert.TenantFromContext)
	red := cachert.WithTenant(context.Background(), "red")
	blue := cachert.WithTenant(context.Background(), "blue")
	fmt.Println("red:", g.get(red))
	_ = cache.Drain(red)

	g.source = "good morning"
	fmt.Println("red:", g.get(red))
	fmt.Println("blue:", g.get(blue))
	// Output:
	// red: hello
	// red: hello
	// blue: good morning
}

// Every read is exactly one of near hit, store hit, miss and bypass.
func ExampleCache_Stats() {
	cache := open()
	defer func() { _ = cache.Close() }()
	g, ctx := newGreetings(cache, nil), context.Background()
	for range 3 {
		_ = g.get(ctx)
		_ = cache.Drain(ctx)
	}
	_ = g.get(cachert.Bypass(ctx))

	m := cache.Stats().Methods[0]
	fmt.Println(m.Repo, m.Method, "hits", m.Hits(), "misses", m.Misses, "bypasses", m.Bypasses)
	// Output:
	// greetings Get hits 2 misses 1 bypasses 1
}
