package cachert

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/cachegen/cachegen/runtime/store"
)

// ErrUnsafe reports that the store can lose the marker of a write in progress, on which the
// strict level is built.
var ErrUnsafe = errors.New("cachegen: strict is not served by a store that can lose markers")

// Ready says why the cache does not do what the policies registered with it promise: the
// store is not trusted at the moment (store.ErrDown; reads go to the source), or it is unsafe
// for the strict ones among them (ErrUnsafe; their reads go to the source, their writes are
// refused). It asks nobody and is meant for main, to refuse to start, and for health checks.
func (c *Cache) Ready() error {
	var errs []error
	if !c.gate.open.Load() {
		errs = append(errs, fmt.Errorf("%w: not trusted at the moment", store.ErrDown))
	}
	if f := c.unsafe.finding.Load(); f != nil && c.unsafe.matters.Load() {
		errs = append(errs, unsafeError(f))
	}
	return errors.Join(errs...)
}

// safety is what is known about the store as far as strict methods are concerned.
type safety struct {
	finding atomic.Pointer[store.Finding] // that makes it unsafe; nil: none
	matters atomic.Bool                   // a strict method is registered

	mu   sync.Mutex
	told string // the finding that was logged last; guarded by mu
}

// judge takes what the last probe found.
func (c *Cache) judge(findings []store.Finding) {
	var found *store.Finding
	for _, f := range findings {
		if f.Unsafe && !slices.Contains(c.opt.StrictDespite, f.Code) {
			found = &f
			break
		}
	}
	c.unsafe.finding.Store(found)
	c.warn()
}

// builtOn takes the level of a policy that is registered.
func (c *Cache) builtOn(l Level) {
	if l >= LevelStrict {
		c.unsafe.matters.Store(true)
		c.warn()
	}
}

// warn logs once what keeps strict methods from being served.
func (c *Cache) warn() {
	f := c.unsafe.finding.Load()
	if f == nil || !c.unsafe.matters.Load() {
		return
	}
	c.unsafe.mu.Lock()
	again := c.unsafe.told == f.Text
	c.unsafe.told = f.Text
	c.unsafe.mu.Unlock()
	if !again {
		c.opt.Logger.Error(unsafeError(f).Error(), "code", f.Code)
	}
}

func unsafeError(f *store.Finding) error {
	return fmt.Errorf("%w: %s; or accept it by Options.StrictDespite %q", ErrUnsafe, f.Text, f.Code)
}

// trusts reports whether a read may be answered by the cache.
func (c *Cache) trusts(l Level) bool {
	return c.gate.open.Load() && (l < LevelStrict || c.unsafe.finding.Load() == nil)
}

// barred refuses a strict write on a store that is unsafe for it, unless its policy has it
// proceed when the store cannot be told.
func (e *effect) barred() error {
	f := e.w.repo.cache.unsafe.finding.Load()
	if f == nil || e.level() < LevelStrict || !e.refuses() {
		return nil
	}
	err := unsafeError(f)
	e.w.stats.refuse(err)
	return fmt.Errorf("%w: %w", ErrRefused, err)
}
