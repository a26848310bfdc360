package sqltx_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

func TestPools(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache, err := cachert.Open(cachert.Options{Namespace: "test", ReplicaLag: time.Minute})
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = cache.Close() }()
		read := cachert.NewReader(cache.Repo(cachert.RepoPolicy{Name: "r"}), cachert.ReadPolicy[string]{
			Method: "Get", Key: "Get", Schema: "1", TTL: time.Second,
			Codec: cachert.Codec[string]{
				Append: func(b []byte, v string) ([]byte, error) { return append(b, v...), nil },
				Decode: func(b []byte) (string, error) { return string(b), nil },
			},
		})
		get := func(p sqltx.Pools[string]) string {
			time.Sleep(2 * time.Second) // what was stored has expired
			v, _ := read.Get(t.Context(), cachert.Call[string]{}, func(ctx context.Context) (string, error) { return p.For(ctx), nil })
			return v
		}
		both, one := sqltx.Pools[string]{Primary: "primary", Replica: "replica"}, sqltx.Pools[string]{Primary: "primary"}
		for i, want := range []string{"primary", "replica", "replica"} {
			if got := get(both); got != want {
				t.Errorf("%d: %s, want %s", i, got, want)
			}
			time.Sleep(2 * time.Minute)
		}
		if got := get(one); got != "primary" {
			t.Errorf("without a replica: %s", got)
		}
		if got := both.For(t.Context()); got != "primary" {
			t.Errorf("outside of a load: %s", got)
		}
	})
}
