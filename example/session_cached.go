package bookshop

import (
	"context"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// CachedSessionRepo is SessionRepo with a cache in front of it. Repository "sessions", level session.
//
//	method  kind   ttl  depends on / drops
//	Get     read   5m   session:{token}
//	Save    write       drops session:{s.Token}
//	End     write       drops session:{token}
//	Sweep   write       drops *
type CachedSessionRepo struct {
	src   SessionRepo
	get   *cachert.Reader[sessionFound]
	save  *cachert.Writer
	end   *cachert.Writer
	sweep *cachert.Writer
}

// sessionFound is the two results of Get.
type sessionFound struct {
	Session Session
	Found   bool
}

var _ SessionRepo = (*CachedSessionRepo)(nil)

// NewCachedSessionRepo puts cache in front of src.
func NewCachedSessionRepo(src SessionRepo, cache *cachert.Cache) *CachedSessionRepo {
	repo := cache.Repo(cachert.RepoPolicy{Name: "sessions"})
	return &CachedSessionRepo{
		src: src,
		get: cachert.NewReader(repo, cachert.ReadPolicy[sessionFound]{
			Method: "Get", Key: "Get", Schema: "1", TTL: 5 * time.Minute, Jitter: 0.1,
			Negative: 10 * time.Second, Absent: func(v sessionFound) bool { return !v.Found },
			Codec: jsonCodec[sessionFound](nil),
		}),
		save:  cachert.NewWriter(repo, cachert.WritePolicy{Method: "Save"}),
		end:   cachert.NewWriter(repo, cachert.WritePolicy{Method: "End"}),
		sweep: cachert.NewWriter(repo, cachert.WritePolicy{Method: "Sweep"}),
	}
}

// Get returns the session of a token; false when there is none.
func (c *CachedSessionRepo) Get(ctx context.Context, token string) (Session, bool, error) {
	ret, err := c.get.Get(ctx, cachert.Call[sessionFound]{
		Key:  cachert.NewArgs().Str(token),
		Tags: func(t *cachert.Tags) { t.Tag("sessions/session").Str(token) },
	}, func(ctx context.Context) (ret sessionFound, err error) {
		ret.Session, ret.Found, err = c.src.Get(ctx, token)
		return ret, err
	})
	return ret.Session, ret.Found, err
}

// Save stores a session, new or not.
func (c *CachedSessionRepo) Save(ctx context.Context, s Session) error {
	return c.save.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Tag("sessions/session").Str(s.Token) },
		Run:  func(ctx context.Context) error { return c.src.Save(ctx, s) },
	})
}

// End removes a session.
func (c *CachedSessionRepo) End(ctx context.Context, token string) error {
	return c.end.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.Tag("sessions/session").Str(token) },
		Run:  func(ctx context.Context) error { return c.src.End(ctx, token) },
	})
}

// Sweep removes the sessions that expired before the given time and returns how many.
func (c *CachedSessionRepo) Sweep(ctx context.Context, before time.Time) (ret int64, err error) {
	err = c.sweep.Do(ctx, cachert.Change{
		Tags: func(t *cachert.Tags) { t.All("sessions") },
		Run: func(ctx context.Context) error {
			ret, err = c.src.Sweep(ctx, before)
			return err
		},
	})
	return ret, err
}
