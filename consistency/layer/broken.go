package layer

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/cachecheck"
	"github.com/cachegen/cachegen/runtime/store"
)

// The layers below are broken on purpose, each in one way that is found in the wild. A checker
// that lets one of them pass proves nothing about any other.

const ttl = 5 * time.Minute

// plain is a Redis client and where to pause.
type plain struct {
	redis  rueidis.Client
	prefix string
	step   Step
}

func newPlain(s Settings) (plain, error) {
	client, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{s.Redis}, DisableCache: true})
	return plain{redis: client, prefix: s.Namespace + ":", step: s.Step}, err
}

func (p plain) read(ctx context.Context, key string) string {
	p.step(ctx, "get", key, "")
	text, _ := p.redis.Do(ctx, p.redis.B().Get().Key(p.prefix+key).Build()).ToString()
	p.step(ctx, "got", key, "")
	return text
}

func (p plain) write(ctx context.Context, key, value string) {
	p.step(ctx, "set", key, "")
	_ = p.redis.Do(ctx, p.redis.B().Set().Key(p.prefix+key).Value(value).Ex(ttl).Build()).Error()
}

func (p plain) delete(ctx context.Context, key string) {
	p.step(ctx, "delete", key, "")
	_ = p.redis.Do(ctx, p.redis.B().Del().Key(p.prefix+key).Build()).Error()
}

// deleteAfter is what most code does: read, load what is not there, set; write, delete.
type deleteAfter struct{ plain }

func (k deleteAfter) get(ctx context.Context, key string, load func(context.Context) (string, error)) (string, error) {
	if text := k.read(ctx, key); text != "" {
		return text, nil
	}
	text, err := load(ctx)
	if err == nil {
		k.write(ctx, key, text)
	}
	return text, err
}

func (k deleteAfter) change(ctx context.Context, _ []string, run func(context.Context) (changes, error)) error {
	changed, err := run(ctx)
	if err == nil {
		for key := range changed {
			k.delete(ctx, key)
		}
	}
	return err
}

// blind writes the new row through, whoever else is writing.
type blind struct{ deleteAfter }

func (k blind) change(ctx context.Context, _ []string, run func(context.Context) (changes, error)) error {
	changed, err := run(ctx)
	if err == nil {
		for key, value := range changed {
			if value == "" {
				k.delete(ctx, key)
			} else {
				k.write(ctx, key, value)
			}
		}
	}
	return err
}

func fresh() string { return fmt.Sprintf("g%x", rand.Uint64()) }

// snapshotAfter keeps generations, and takes them when it has loaded: what was read before a
// write is blessed by the generation from after it.
type snapshotAfter struct{ plain }

func (k snapshotAfter) get(ctx context.Context, key string, load func(context.Context) (string, error)) (string, error) {
	entry, gen := k.read(ctx, key), k.read(ctx, "gen:"+key)
	if under, text, ok := strings.Cut(entry, " "); ok && under == gen {
		return text, nil
	}
	text, err := load(ctx)
	if err != nil {
		return "", err
	}
	if gen = k.read(ctx, "gen:"+key); gen == "" {
		gen = fresh()
		k.write(ctx, "gen:"+key, gen)
	}
	k.write(ctx, key, gen+" "+text)
	return text, nil
}

func (k snapshotAfter) change(ctx context.Context, _ []string, run func(context.Context) (changes, error)) error {
	changed, err := run(ctx)
	if err == nil {
		for key := range changed {
			k.write(ctx, "gen:"+key, fresh())
		}
	}
	return err
}

// oneSlot marks what is being written, with room for one writer: a second mark replaces the
// first. The second writer believes that it was alone.
type oneSlot struct{ plain }

var endMark = rueidis.NewLuaScript(`
	if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
	redis.call('SET', KEYS[1], ARGV[2])
	if ARGV[3] ~= '' then redis.call('SET', KEYS[2], ARGV[2] .. ' ' .. ARGV[3], 'EX', 300) end
	return 1`)

func (k oneSlot) get(ctx context.Context, key string, load func(context.Context) (string, error)) (string, error) {
	cell := k.read(ctx, "cell:"+key)
	if cell == "" {
		cell = fresh()
		_ = k.redis.Do(ctx, k.redis.B().Set().Key(k.prefix+"cell:"+key).Value(cell).Nx().Build()).Error()
		cell = k.read(ctx, "cell:"+key)
	}
	if under, text, ok := strings.Cut(k.read(ctx, key), " "); ok && under == cell {
		return text, nil
	}
	text, err := load(ctx)
	if err == nil && strings.HasPrefix(cell, "g") {
		k.write(ctx, key, cell+" "+text)
	}
	return text, err
}

func (k oneSlot) change(ctx context.Context, known []string, run func(context.Context) (changes, error)) error {
	token := "m" + fresh()
	for _, key := range known {
		k.step(ctx, "mark", key, "")
		_ = k.redis.Do(ctx, k.redis.B().Set().Key(k.prefix+"cell:"+key).Value(token).Px(Lease).Build()).Error()
	}
	changed, err := run(ctx)
	for _, key := range known {
		k.step(ctx, "post", key, "")
		_ = endMark.Exec(ctx, k.redis, []string{k.prefix + "cell:" + key, k.prefix + key}, []string{token, fresh(), changed[key]}).Error()
		delete(changed, key)
	}
	if err == nil {
		for key := range changed {
			k.write(ctx, "cell:"+key, fresh())
		}
	}
	return err
}

func broken[K keeper](make func(plain) K) func(Settings) (Layer, error) {
	return func(s Settings) (Layer, error) {
		p, err := newPlain(s)
		return newAside(s, make(p), err)
	}
}

// unmarked is our layer with writes that mark nothing, held to what marks are for.
func unmarked(s Settings) (Layer, error) {
	s.Level = cachecheck.Bounded
	return Ours(s)
}

// noFence is our layer over a store whose promises end some time after the reply to the write
// that ends them: as if pushes were not waited for.
func noFence(s Settings) (Layer, error) {
	return open(s, func(inner store.Store) store.Store { return newUnfenced(inner) })
}

type unfenced struct {
	store.Store
	mu    sync.Mutex
	pairs map[*store.Live]*store.Live // theirs and ours; guarded by mu
}

func newUnfenced(inner store.Store) *unfenced {
	u := &unfenced{Store: inner, pairs: map[*store.Live]*store.Live{}}
	go func() {
		for range time.Tick(3 * time.Millisecond) {
			u.pass()
		}
	}()
	return u
}

// pass ends ours where theirs have ended.
func (u *unfenced) pass() {
	u.mu.Lock()
	defer u.mu.Unlock()
	for theirs, ours := range u.pairs {
		if !theirs.Alive() {
			ours.End()
			delete(u.pairs, theirs)
		}
	}
}

// Read implements store.Store.
func (u *unfenced) Read(ctx context.Context, r store.ReadRequest) (store.ReadReply, error) {
	reply, err := u.Store.Read(ctx, r)
	u.mu.Lock()
	defer u.mu.Unlock()
	for i, c := range reply.Cells {
		if c.Live == nil {
			continue
		}
		if u.pairs[c.Live] == nil {
			u.pairs[c.Live] = &store.Live{}
		}
		reply.Cells[i].Live = u.pairs[c.Live]
	}
	return reply, err
}
