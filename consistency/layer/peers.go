package layer

import (
	"context"
	"errors"
	"time"

	rediscache "github.com/go-redis/cache/v9"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"github.com/redis/rueidis/rueidisaside"
	"github.com/zeromicro/go-zero/core/logx"
	"github.com/zeromicro/go-zero/core/stores/cache"
	zeroredis "github.com/zeromicro/go-zero/core/stores/redis"
	"github.com/zeromicro/go-zero/core/syncx"
)

// The layers of others, each as its documentation shows: reads through the one call that is
// made for it, writes followed by a deletion of the keys.

// goRedisCache is github.com/go-redis/cache with its in-process cache, as in its README.
type goRedisCache struct {
	cache  *rediscache.Cache
	prefix string
}

func openGoRedisCache(s Settings) (Layer, error) {
	client := redis.NewClient(&redis.Options{Addr: s.Redis})
	c := rediscache.New(&rediscache.Options{Redis: client, LocalCache: rediscache.NewTinyLFU(1000, time.Minute)})
	return newAside(s, goRedisCache{c, s.Namespace + ":"}, nil)
}

func (k goRedisCache) get(ctx context.Context, key string, load func(context.Context) (string, error)) (text string, err error) {
	err = k.cache.Once(&rediscache.Item{
		Ctx: ctx, Key: k.prefix + key, Value: &text, TTL: ttl,
		Do: func(*rediscache.Item) (any, error) { return load(ctx) },
	})
	return text, err
}

func (k goRedisCache) change(ctx context.Context, _ []string, run func(context.Context) (changes, error)) error {
	changed, err := run(ctx)
	if err == nil {
		for key := range changed {
			_ = k.cache.Delete(ctx, k.prefix+key)
		}
	}
	return err
}

// To import go-zero is to have it print a line a minute.
func init() { logx.Disable() }

// goZero is the cache behind go-zero's sqlc.CachedConn: QueryRow takes, Exec deletes after it.
type goZero struct {
	cache  cache.Cache
	prefix string
}

var errNothing = errors.New("layer: nothing there")

func openGoZero(s Settings) (Layer, error) {
	conf := cache.CacheConf{{RedisConf: zeroredis.RedisConf{Host: s.Redis, Type: zeroredis.NodeType}, Weight: 100}}
	c := cache.New(conf, syncx.NewSingleFlight(), cache.NewStat("consistency"), errNothing, cache.WithExpiry(ttl))
	return newAside(s, goZero{c, s.Namespace + ":"}, nil)
}

func (k goZero) get(ctx context.Context, key string, load func(context.Context) (string, error)) (text string, err error) {
	err = k.cache.TakeCtx(ctx, &text, k.prefix+key, func(v any) error {
		loaded, err := load(ctx)
		*v.(*string) = loaded
		return err
	})
	return text, err
}

func (k goZero) change(ctx context.Context, _ []string, run func(context.Context) (changes, error)) error {
	changed, err := run(ctx)
	if err != nil {
		return err
	}
	keys := make([]string, 0, len(changed))
	for key := range changed {
		keys = append(keys, k.prefix+key)
	}
	_ = k.cache.DelCtx(ctx, keys...)
	return nil
}

// aside of rueidis: client-side caching, and a lock for each load.
type rueidisAside struct {
	client rueidisaside.CacheAsideClient
	prefix string
}

func openRueidisAside(s Settings) (Layer, error) {
	c, err := rueidisaside.NewClient(rueidisaside.ClientOption{ClientOption: rueidis.ClientOption{InitAddress: []string{s.Redis}}})
	return newAside(s, rueidisAside{c, s.Namespace + ":"}, err)
}

func (k rueidisAside) get(ctx context.Context, key string, load func(context.Context) (string, error)) (string, error) {
	return k.client.Get(ctx, ttl, k.prefix+key, func(ctx context.Context, _ string) (string, error) { return load(ctx) })
}

func (k rueidisAside) change(ctx context.Context, _ []string, run func(context.Context) (changes, error)) error {
	changed, err := run(ctx)
	if err == nil {
		for key := range changed {
			_ = k.client.Del(ctx, k.prefix+key)
		}
	}
	return err
}
