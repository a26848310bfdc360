package cachert

import (
	"context"
	"slices"
	"strings"
)

// Tags collects the cells of the tags that a read depends on or a write changes. It is
// handed to the closures of Call and Change and must not be kept.
type Tags struct {
	cache *Cache
	ctx   context.Context // tells the tenant
	own   *Repo           // whose tenant rule holds for tags of repositories not registered here; may be nil
	cur   *Args           // arguments of the tag begun last
	name  string          // its name; "" when none is open
	cells []string
	err   error
}

// Tag begins the tag with the full name ("books/author"); its arguments are appended to
// the list returned, before the next call on t.
func (t *Tags) Tag(name string) *Args {
	t.finish()
	t.name, t.cur = name, &Args{inst: true}
	return t.cur
}

// All adds everything that a repository has cached, of all tenants.
func (t *Tags) All(repo string) {
	t.finish()
	t.add(t.cache.keys.repoCell(repo))
}

// Entry adds the argument tags of an entry that is about to be replaced.
func (t *Tags) Entry(call interface{ addTags(*Tags) }) {
	t.finish()
	call.addTags(t)
}

func (t *Tags) finish() {
	if t.name == "" {
		return
	}
	if err := t.cur.Err(); err != nil && t.err == nil {
		t.err = err
	}
	repo, _, _ := strings.Cut(t.name, "/")
	if scope, ok := t.cache.scopeOf(t.ctx, repo, t.own); ok {
		t.add(t.cache.keys.tagCell(scope, t.name, t.cur))
	} else { // whose tag is meant is not known: drop those of all tenants
		t.add(t.cache.keys.repoCell(repo))
	}
	t.name = ""
}

// scopeOf finds the tenant part of a repository's tag cells. Tags follow the rule of the
// repository that declares them, whoever names them.
func (c *Cache) scopeOf(ctx context.Context, repo string, own *Repo) (string, bool) {
	c.mu.Lock()
	r := c.repos[repo]
	c.mu.Unlock()
	if r == nil {
		r = own
	}
	if r == nil {
		return "", true
	}
	return r.scope(ctx)
}

// scope is the part of keys that keeps this repository's tenants apart; false when there
// should be a tenant and is none.
func (r *Repo) scope(ctx context.Context) (string, bool) {
	if r.policy.Tenant == nil {
		return "", true
	}
	tenant, ok := r.policy.Tenant(ctx)
	return scope(tenant), ok && tenant != ""
}

func (t *Tags) add(cell string) {
	if !slices.Contains(t.cells, cell) {
		t.cells = append(t.cells, cell)
	}
}

// collect runs the closures and returns the cells they name, without duplicates.
func (t *Tags) collect(closures ...func(*Tags)) []string {
	for _, f := range closures {
		if f != nil {
			f(t)
			t.finish()
		}
	}
	return t.cells
}

// keyspace makes the store's keys. All of one tag's keys share a cluster slot.
//
//	cell       shop:{books/author:7}    shop:{@acme/books/author:7} in a tenant
//	repository shop:{books/*}
//	namespace  shop:{*}
//	entry      shop:{books/author:7}:books.ListByAuthor:5d41402abc4b2a76:7:(1:20)
type keyspace struct{ prefix, namespace string }

func newKeyspace(namespace string) keyspace {
	return keyspace{prefix: namespace + ":", namespace: namespace + ":{*}"}
}

// isCell reports whether key has the form of a cell of this namespace.
func (k *keyspace) isCell(key string) bool {
	return strings.HasPrefix(key, k.prefix+"{") && strings.HasSuffix(key, "}")
}

func (k *keyspace) namespaceCell() string { return k.namespace }
func (k *keyspace) repoCell(repo string) string {
	return k.prefix + "{" + shorten(repo, maxName) + "/*}"
}

func (k *keyspace) tagCell(scope, name string, args *Args) string {
	name = shorten(name, maxName)
	if text := args.text(); text != "" {
		return k.prefix + "{" + scope + name + ":" + text + "}"
	}
	return k.prefix + "{" + scope + name + "}"
}

// entry is the key of an entry that stands in the slot of a cell or, where that is empty, in
// one of its own.
func (k *keyspace) entry(slot, near, rest string) string {
	if slot == "" {
		slot = k.prefix + "{" + shorten(strings.TrimSuffix(near, ":"), maxSlot) + "}"
	}
	if len(slot)+1+len(rest) > maxKey {
		rest = shorten(rest, maxArgs)
	}
	return slot + ":" + rest
}

// scope is the part of a key that keeps tenants apart.
func scope(tenant string) string {
	if tenant == "" {
		return ""
	}
	return "@" + shorten(string(appendEscapedSlash(tenant)), maxTenant) + "/"
}

// appendEscapedSlash escapes '/' too, which ends a tenant.
func appendEscapedSlash(tenant string) []byte {
	var b []byte
	for _, c := range appendEscaped(nil, tenant) {
		if c == '/' {
			b = append(b, "%2F"...)
		} else {
			b = append(b, c)
		}
	}
	return b
}
