package transactions_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/golden/transactions"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

var errStop = errors.New("stop")

type fixture struct {
	t        *testing.T
	cache    *cachert.Cache
	source   *transactions.Memory
	accounts *transactions.CachedAccountStore
	probe    *goldentest.Probe
}

func setUp(t *testing.T, cache *cachert.Cache) fixture {
	source := &transactions.Memory{}
	f := fixture{t, cache, source, transactions.NewCachedAccountStore(source, cache), goldentest.Watch(t, cache, source)}
	goldentest.Do(t, f.accounts.Deposit(t.Context(), 1, 100))
	f.probe.MissThenHit(f.balance(f.accounts, 1, 100))
	f.probe.MissThenHit(f.balance(f.accounts, 2, 0))
	return f
}

func (f fixture) balance(store transactions.AccountStore, id, want int64) func() {
	return func() {
		f.t.Helper()
		got, err := store.Balance(f.t.Context(), id)
		goldentest.Want(f.t, got, err, want)
	}
}

func TestTransactionInsideOneMethod(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		goldentest.Do(t, f.accounts.Deposit(t.Context(), 2, 5))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 5))
		f.probe.Hit(f.balance(f.accounts, 1, 100))
		goldentest.Do(t, f.accounts.Deposit(t.Context(), 2, -5))
		goldentest.Do(t, f.accounts.Transfer(t.Context(), 1, 2, 30))
		f.probe.MissThenHit(f.balance(f.accounts, 1, 70))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 30))
		if err := f.accounts.Transfer(t.Context(), 1, 2, 300); err != transactions.ErrShort {
			t.Fatal(err)
		}
		f.probe.MissThenHit(f.balance(f.accounts, 1, 70))
	})
}

// atomically runs a transaction that must be committed.
func (f fixture) atomically(body func(inside transactions.AccountStore)) {
	f.t.Helper()
	goldentest.Do(f.t, f.accounts.Atomically(f.t.Context(), func(inside transactions.AccountStore) error {
		body(inside)
		return nil
	}))
}

// unknown is how many writes had an outcome that the cache was not told.
func (f fixture) unknown() (n uint64) {
	for _, m := range f.cache.Stats().Methods {
		n += m.Unknown
	}
	return n
}

func TestBodyReadsWhatItWrote(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		steps := 0
		f.source.AtCommit = func(bool) { // marked: readers ask the source, right before and right after
			steps++
			want := []int64{100, 60}[steps-1]
			f.probe.Miss(f.balance(f.accounts, 1, want))
			f.probe.Miss(f.balance(f.accounts, 2, 100-want))
		}
		f.atomically(func(inside transactions.AccountStore) {
			goldentest.Do(t, inside.Transfer(t.Context(), 1, 2, 40))
			f.probe.Always(f.balance(inside, 1, 60))
			f.probe.Always(f.balance(inside, 2, 40))
			f.probe.Hit(f.balance(f.accounts, 1, 100)) // not committed
			f.probe.Hit(f.balance(f.accounts, 2, 0))
		})
		if steps != 2 {
			t.Fatalf("%d steps, want 2", steps)
		}
		f.probe.MissThenHit(f.balance(f.accounts, 1, 60))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 40))
		if n := f.unknown(); n > 0 {
			t.Errorf("%d writes of unknown outcome", n)
		}
	})
}

// What a body stores is stored at the commit, and only what the last write left.
func TestBodyStoresWhatItLeaves(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.atomically(func(inside transactions.AccountStore) {
			left, err := inside.Withdraw(t.Context(), 1, 10)
			goldentest.Want(t, left, err, 90)
			left, err = inside.Withdraw(t.Context(), 1, 10)
			goldentest.Want(t, left, err, 80)
		})
		f.probe.Hit(f.balance(f.accounts, 1, 80))
		f.atomically(func(inside transactions.AccountStore) {
			left, err := inside.Withdraw(t.Context(), 1, 10)
			goldentest.Want(t, left, err, 70)
			goldentest.Do(t, inside.Deposit(t.Context(), 1, 5))
		})
		f.probe.MissThenHit(f.balance(f.accounts, 1, 75))
	})
}

func TestBodyThatIsTakenBack(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		for _, end := range []func(transactions.AccountStore) error{
			func(transactions.AccountStore) error { return errStop },
			func(transactions.AccountStore) error { panic(errStop) },
		} {
			func() {
				defer func() {
					if r := recover(); r != nil && r != errStop {
						panic(r)
					}
				}()
				err := f.accounts.Atomically(t.Context(), func(inside transactions.AccountStore) error {
					left, err := inside.Withdraw(t.Context(), 1, 40)
					goldentest.Want(t, left, err, 60)
					f.balance(inside, 1, 60)()
					return end(inside)
				})
				if err != errStop {
					t.Errorf("%v, want the body's own error", err)
				}
			}()
			f.probe.Hit(f.balance(f.accounts, 1, 100)) // nothing was told, nothing was stored
		}
	})
}

func TestBodyThatRunsAgain(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.source.Conflicts = 2
		attempts := 0
		f.atomically(func(inside transactions.AccountStore) {
			f.balance(inside, 1, 100)() // the attempt before was rolled back
			attempts++
			switch attempts {
			case 1:
				left, err := inside.Withdraw(t.Context(), 1, 90)
				goldentest.Want(t, left, err, 10)
			case 2:
				goldentest.Do(t, inside.Deposit(t.Context(), 2, 3))
			default:
				goldentest.Do(t, inside.Deposit(t.Context(), 2, 7))
			}
		})
		goldentest.Equal(t, attempts, 3)
		f.probe.Miss(f.balance(f.accounts, 1, 100)) // the first attempt's COMMIT was sent, and nobody knows what came of it
		f.probe.Miss(f.balance(f.accounts, 1, 100))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 7))

		f.source.Conflicts = 1
		tries, err := f.accounts.InContext(t.Context(), func(ctx context.Context) error {
			left, err := f.accounts.Withdraw(ctx, 2, 1)
			goldentest.Want(t, left, err, 6)
			return err
		})
		goldentest.Want(t, tries, err, 2)
		f.probe.Hit(f.balance(f.accounts, 2, 6))
	})
}

func TestBodyWithTheTransactionInItsContext(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		move := func(result error) error {
			_, err := f.accounts.InContext(t.Context(), func(ctx context.Context) error {
				goldentest.Do(t, f.accounts.Transfer(ctx, 1, 2, 40))
				got, err := f.accounts.Balance(ctx, 1)
				goldentest.Want(t, got, err, 60)
				f.probe.Hit(f.balance(f.accounts, 1, 100))
				return result
			})
			return err
		}
		if err := move(errStop); err != errStop {
			t.Fatal(err)
		}
		f.probe.Hit(f.balance(f.accounts, 1, 100))
		steps := 0
		f.source.AtCommit = func(bool) {
			f.probe.Miss(f.balance(f.accounts, 1, []int64{100, 60}[steps]))
			steps++
		}
		goldentest.Do(t, move(nil))
		goldentest.Equal(t, steps, 2)
		f.probe.MissThenHit(f.balance(f.accounts, 1, 60))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 40))
	})
}

// An inner transaction belongs to the outer one, whether the store or the context says so.
func TestBodyInsideABody(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		f.atomically(func(inside transactions.AccountStore) {
			goldentest.Do(t, inside.Deposit(t.Context(), 1, 1))
			goldentest.Do(t, inside.Atomically(t.Context(), func(inner transactions.AccountStore) error {
				goldentest.Do(t, inner.Deposit(t.Context(), 2, 2))
				f.balance(inner, 1, 101)()
				return nil
			}))
			err := inside.Atomically(t.Context(), func(inner transactions.AccountStore) error {
				left, err := inner.Withdraw(t.Context(), 1, 50)
				goldentest.Want(t, left, err, 51)
				return errStop
			})
			goldentest.Equal(t, err, errStop)
			f.probe.Always(f.balance(inside, 1, 101))
			f.probe.Always(f.balance(inside, 2, 2))
			f.probe.Hit(f.balance(f.accounts, 1, 100))
			f.probe.Hit(f.balance(f.accounts, 2, 0))
		})
		f.probe.MissThenHit(f.balance(f.accounts, 1, 101))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 2))

		_, err := f.accounts.InContext(t.Context(), func(ctx context.Context) error {
			return f.accounts.Atomically(ctx, func(inner transactions.AccountStore) error {
				return inner.Deposit(t.Context(), 2, 3)
			})
		})
		goldentest.Do(t, err)
		f.probe.MissThenHit(f.balance(f.accounts, 2, 5))
		if n := f.unknown(); n > 0 {
			t.Errorf("%d writes of unknown outcome", n)
		}
	})
}

// A store that outlives its transaction is one whose commit nobody sees.
func TestStoreThatOutlivesItsBody(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		var kept transactions.AccountStore
		f.atomically(func(inside transactions.AccountStore) { kept = inside })
		goldentest.Do(t, kept.Deposit(t.Context(), 1, 1))
		f.probe.Always(f.balance(f.accounts, 1, 100))
		goldentest.Equal(t, f.unknown(), 1)
	})
}

func TestDerivedStoreInAUnit(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		ctx, unit := cache.Begin(t.Context())
		tx := f.source.Begin()
		inside, err := f.accounts.WithTx(tx)
		goldentest.Do(t, err)
		left, err := inside.Withdraw(ctx, 1, 5)
		goldentest.Want(t, left, err, 95)
		goldentest.Do(t, f.accounts.DepositTx(ctx, tx, 2, 5))
		f.probe.Always(f.balance(inside, 1, 95))
		f.probe.Hit(f.balance(f.accounts, 1, 100)) // not committed
		f.probe.Hit(f.balance(f.accounts, 2, 0))

		goldentest.Do(t, unit.Mark())
		goldentest.Do(t, tx.Commit())
		f.probe.Miss(f.balance(f.accounts, 1, 95))
		f.probe.Miss(f.balance(f.accounts, 2, 5))
		goldentest.Do(t, unit.Post(nil))
		f.probe.Hit(f.balance(f.accounts, 1, 95))
		f.probe.MissThenHit(f.balance(f.accounts, 2, 5))
		goldentest.Equal(t, f.unknown(), 0)
	})
}

// Without a unit nobody says when the transaction is committed: until the lease ends whatever it
// has written is read from the source.
func TestDerivedStoreWithoutAUnit(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		tx := f.source.Begin()
		inside, err := f.accounts.WithTx(tx)
		goldentest.Do(t, err)
		left, err := inside.Withdraw(t.Context(), 1, 5)
		goldentest.Want(t, left, err, 95)
		f.probe.Always(f.balance(inside, 1, 95))
		f.probe.Always(f.balance(f.accounts, 1, 100))
		f.probe.Hit(f.balance(f.accounts, 2, 0))
		goldentest.Do(t, f.accounts.Deposit(t.Context(), 1, 0)) // its own marker goes, the other stays
		f.probe.Always(f.balance(f.accounts, 1, 100))
		goldentest.Do(t, tx.Commit())
		f.probe.Always(f.balance(f.accounts, 1, 95))
		goldentest.Equal(t, f.unknown(), 1)

		none, err := f.accounts.WithTx(nil)
		if none != nil || err == nil {
			t.Errorf("%v and error %v, want nil and an error", none, err)
		}
	})
}

func TestTransactionAsAParameter(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		balance := func(tx *transactions.Tx, want int64) func() {
			return func() {
				t.Helper()
				got, err := f.accounts.BalanceTx(t.Context(), tx, 1)
				goldentest.Want(t, got, err, want)
			}
		}
		f.probe.Hit(balance(nil, 100)) // the entry of Balance
		goldentest.Do(t, f.accounts.DepositTx(t.Context(), nil, 1, 1))
		f.probe.Hit(balance(nil, 101)) // committed, and told
		goldentest.Equal(t, f.unknown(), 0)

		tx := f.source.Begin()
		f.probe.Always(balance(tx, 101))
		goldentest.Do(t, f.accounts.DepositTx(t.Context(), tx, 1, 1))
		f.probe.Always(balance(tx, 102))
		f.probe.Always(balance(nil, 101))
		goldentest.Do(t, tx.Commit())
		f.probe.Always(balance(nil, 102))
		goldentest.Equal(t, f.unknown(), 1)
	})
}

// Readers outside never see less than was committed before they asked. Each transaction adds.
func TestReadersNeverFallBehindACommit(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		f := setUp(t, cache)
		var committed atomic.Int64
		committed.Store(100)
		f.source.AtCommit = func(done bool) {
			if done {
				committed.Add(1)
			}
		}
		ended := make(chan struct{})
		var readers sync.WaitGroup
		var stale atomic.Int64
		for range 4 {
			readers.Go(func() {
				for {
					select {
					case <-ended:
						return
					default:
					}
					least := committed.Load()
					got, err := f.accounts.Balance(t.Context(), 1)
					if err != nil || got < least {
						stale.Add(1)
					}
				}
			})
		}
		for i := range 200 {
			add := func(inside transactions.AccountStore) error { return inside.Deposit(t.Context(), 1, 1) }
			switch i % 3 {
			case 0:
				goldentest.Do(t, f.accounts.Atomically(t.Context(), add))
			case 1:
				_, err := f.accounts.InContext(t.Context(), func(ctx context.Context) error {
					return f.accounts.Atomically(ctx, add)
				})
				goldentest.Do(t, err)
			default:
				tx := f.source.Begin()
				inside, err := f.accounts.WithTx(tx)
				goldentest.Do(t, err)
				ctx, unit := cache.Begin(t.Context())
				goldentest.Do(t, inside.Deposit(ctx, 1, 1))
				goldentest.Do(t, unit.Mark())
				goldentest.Do(t, unit.Post(tx.Commit()))
			}
		}
		tx := f.source.Begin() // and one that nobody tells
		goldentest.Do(t, f.accounts.DepositTx(t.Context(), tx, 1, 1))
		f.balance(f.accounts, 1, 300)()
		goldentest.Do(t, cache.Drain(t.Context()))
		goldentest.Do(t, tx.Commit())
		for range 100 {
			f.balance(f.accounts, 1, 301)()
		}
		close(ended)
		readers.Wait()
		if n := stale.Load(); n > 0 {
			t.Errorf("%d stale reads", n)
		}
	})
}
