package sqltx_test

import (
	"context"
	"database/sql"
	"errors"
	"testing"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/sqltx"
)

// fakeDB commits n.
type fakeDB struct{ n, pending int }

func (d *fakeDB) BeginTx(context.Context, *sql.TxOptions) (*fakeTx, error) {
	d.pending = d.n
	return &fakeTx{d}, nil
}

type fakeTx struct{ db *fakeDB }

func (t *fakeTx) Commit() error   { t.db.n = t.db.pending; return nil }
func (t *fakeTx) Rollback() error { t.db.pending = t.db.n; return nil }
func (t *fakeTx) ExecContext(context.Context, string, ...any) (sql.Result, error) {
	return nil, nil
}

// A transaction of another kind inside a unit of work is marked before its own commit and
// leaves the unit to whoever began it.
func TestRunInsideAUnitOfAnother(t *testing.T) {
	ctx := context.Background()
	for name, failed := range map[string]error{"committed": nil, "rolled back": errors.New("no")} {
		t.Run(name, func(t *testing.T) {
			cache, err := cachert.Open(cachert.Options{Namespace: "test"})
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = cache.Close() }()
			repo := cache.Repo(cachert.RepoPolicy{Name: "counter"})
			write := cachert.NewWriter(repo, cachert.WritePolicy{Method: "Set"})
			read := cachert.NewReader(repo, cachert.ReadPolicy[int]{
				Method: "Get", Key: "Get", Schema: "int", TTL: 1 << 40,
				Codec: cachert.Codec[int]{
					Append: func(b []byte, v int) ([]byte, error) { return append(b, byte(v)), nil },
					Decode: func(b []byte) (int, error) { return int(b[0]), nil },
				},
			})
			tags := func(t *cachert.Tags) { t.Tag("counter/all") }
			db := &fakeDB{n: 1}
			get := func() int {
				n, _ := read.Get(ctx, cachert.Call[int]{Tags: tags}, func(context.Context) (int, error) { return db.n, nil })
				return n
			}
			set := func(ctx context.Context, n int) error {
				return write.Do(ctx, cachert.Change{
					Tags: tags,
					Run:  func(context.Context) error { db.pending = n; return nil },
					Put:  func(p *cachert.Puts) { read.Put(p, cachert.Call[int]{Tags: tags}, n) },
				})
			}
			get()
			want := 1
			outer, unit := cache.Begin(ctx)
			err = sqltx.Run(outer, cache, db, nil, func(ctx context.Context, _ *fakeTx) error {
				// The inner savepoint is taken back, and what it would have stored with it.
				_ = sqltx.Run(ctx, cache, db, nil, func(ctx context.Context, _ *fakeTx) error {
					return errors.Join(set(ctx, 9), errors.New("back"))
				})
				db.pending = 1
				if failed == nil {
					want = 2
					db.pending = 2
				}
				return failed
			})
			if !errors.Is(err, failed) {
				t.Errorf("%v, want %v", err, failed)
			}
			if !cache.InUnit(outer) {
				t.Fatal("the unit of another was ended")
			}
			if n := get(); n != want {
				t.Errorf("%d before the end of the outer unit, want %d", n, want)
			}
			if err := unit.Mark(); err != nil {
				t.Error(err)
			}
			if err := unit.Post(nil); err != nil {
				t.Error(err)
			}
			if n := get(); n != want {
				t.Errorf("%d after the outer unit, want %d", n, want)
			}
		})
	}
}

// panickyDB commits, and panics before it says so.
type panickyDB struct{ fakeDB }

type panickyTx struct{ *fakeTx }

func (d *panickyDB) BeginTx(ctx context.Context, o *sql.TxOptions) (panickyTx, error) {
	tx, err := d.fakeDB.BeginTx(ctx, o)
	return panickyTx{tx}, err
}

func (t panickyTx) Commit() error {
	_ = t.fakeTx.Commit()
	panic("driver")
}

// A panic out of COMMIT: the outcome is unknown, the markers stay, and the unit has ended.
func TestCommitThatPanicsEndsTheUnit(t *testing.T) {
	ctx := context.Background()
	cache, err := cachert.Open(cachert.Options{Namespace: "test"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = cache.Close() }()
	repo := cache.Repo(cachert.RepoPolicy{Name: "counter"})
	write := cachert.NewWriter(repo, cachert.WritePolicy{Method: "Set"})
	db := &panickyDB{fakeDB{n: 1}}
	inside := ctx
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic was swallowed")
			}
		}()
		_ = sqltx.Run(ctx, cache, db, nil, func(ctx context.Context, _ panickyTx) error {
			inside = ctx
			return write.Do(ctx, cachert.Change{
				Tags: func(t *cachert.Tags) { t.Tag("counter/all") },
				Run:  func(context.Context) error { db.pending = 2; return nil },
			})
		})
	}()
	if cache.InUnit(inside) {
		t.Error("the unit has not ended")
	}
	if n := cache.Stats().Methods[0].Unknown; n != 1 {
		t.Errorf("%d writes of unknown outcome, want 1", n)
	}
}
