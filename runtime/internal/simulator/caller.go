package simulator

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

const callsEach = 6

// call is one caller in a process: reads and writes, one after another.
func (w *world) call(index int, name string, u *user) {
	defer w.rest()
	for i := range callsEach {
		if u != nil {
			index = w.step(name).n(len(w.processes))
		}
		p := w.process(index)
		o := &op{w: w, p: p, name: name + strconv.Itoa(i), touched: -1, follows: -1, marked: map[string]bool{}}
		s := w.step(p.name, o.name)
		if u == nil {
			w.sleep(p, s.within(15*time.Millisecond))
		} else {
			w.sleep(p, s.within(travel))
		}
		if w.config.Without[o.name] {
			continue
		}
		w.mu.Lock()
		w.calls = append(w.calls, o.name)
		w.mu.Unlock()
		o.run(s, u)
	}
}

func (o *op) run(s *step, u *user) {
	ctx, end := u.begin(o, o.context())
	defer end()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if o.w.class == Within && s.fault("its caller leaves", 15) {
		o.w.after(s.within(6*time.Millisecond), cancel)
	}
	c := o.pick(s)
	switch n := s.n(100); {
	case o.follows >= 0 && s.chance(700):
		o.read(ctx, s, class(o.follows/10), rowObject(o.follows))
	case n < 40:
		o.read(ctx, s, c, rowObject(c.first()+int64(s.n(3))))
	case n < 60:
		o.read(ctx, s, c, listObject(c.first()+int64(s.n(2))))
	case n < 80:
		o.write(ctx, s, c, update)
	case n < 86:
		o.write(ctx, s, c, move)
	case n < 89:
		o.write(ctx, s, c, remove)
	case n < 92:
		o.write(ctx, s, c, create)
	default:
		o.transact(ctx, s, c)
	}
}

func (o *op) context() context.Context {
	ctx := context.WithValue(context.Background(), opKey{}, o)
	return cachert.WithSession(ctx, o.session)
}

// pick chooses a class.
func (o *op) pick(s *step) class {
	all := slices.Sorted(maps.Keys(o.w.classes))
	return all[s.n(len(all))]
}

// known lists the objects.
func (d *database) known() []string { return slices.Sorted(maps.Keys(d.objects)) }

func (s *server) keys() []string { return slices.Sorted(maps.Keys(s.cells)) }

// read asks for an object at its class's level.
func (p *process) read(ctx context.Context, object string) ([]row, error) {
	kind, number, _ := strings.Cut(object, ":")
	n, _ := strconv.ParseInt(number, 10, 64)
	p.w.state.Lock()
	c := p.w.db.objects[object].class
	p.w.state.Unlock()
	if kind == "row" {
		return p.getOne(ctx, c, n)
	}
	return p.getList(ctx, c, n)
}

func (o *op) read(ctx context.Context, s *step, c class, object string) {
	fresh := c == strict && s.chance(600) || c == session && s.chance(250)
	past := s.chance(30)
	switch {
	case past:
		ctx = cachert.Bypass(ctx)
	case fresh:
		ctx = cachert.Fresh(ctx)
	}
	o.get(ctx, s, object, fresh, past)
}

// get is one read, judged.
func (o *op) get(ctx context.Context, s *step, object string, fresh, past bool) {
	a := o.w.ask(o, object, fresh)
	s.note("READS " + object)
	rows, err := o.p.read(ctx, object)
	if o.p.isDead() {
		return
	}
	if err != nil {
		s.note("FAILED " + err.Error())
		if foreign(err) {
			o.w.violate("%s: a read failed with %v", o.name, err)
		}
		return
	}
	s.note("GOT " + text(rows))
	o.w.answer(o, a, rows, !past)
}

type kind uint8

const (
	update kind = iota
	move
	remove
	create
)

func (k kind) String() string { return [...]string{"update", "move", "remove", "create"}[k] }

// writes is one statement and the row it has left.
type writes struct {
	kind kind
	id   int64 // of the row; known to creates only afterwards
	to   int64 // the shelf
	ret  row
	done bool // it has answered
}

func (o *op) write(ctx context.Context, s *step, c class, k kind) {
	o.creates = k == create
	s.note("WRITES " + k.String())
	err := o.do(ctx, s, c, o.statement(s, c, k), nil)
	o.ended(s, err)
}

func (o *op) statement(s *step, c class, k kind) *writes {
	w := &writes{kind: k, id: c.first() + int64(s.n(2)), to: c.first() + int64(s.n(2))}
	if s.chance(200) {
		w.id = c.first() + 2
	}
	if k == create {
		w.id = 0
	}
	return w
}

func (o *op) ended(s *step, err error) {
	if o.p.isDead() {
		return
	}
	if err != nil {
		s.note("FAILED " + err.Error())
		o.w.state.Lock()
		committed := o.committed
		o.w.state.Unlock()
		if errors.Is(err, cachert.ErrRefused) && committed {
			o.w.violate("%s was refused after it had committed", o.name)
		}
		return
	}
	o.w.acknowledge(o)
	s.note("ACKNOWLEDGED")
	if o.touched >= 0 && s.chance(400) {
		o.read(o.context(), s, class(o.touched/10), rowObject(o.touched))
	}
}

// do is one call of the wrapper's write method; in a transaction if tx is not nil.
func (o *op) do(ctx context.Context, s *step, c class, x *writes, tx *transaction) error {
	p := o.p
	ch := cachert.Change{
		Tags: func(t *cachert.Tags) {
			if x.kind != create {
				t.Tag("rows/row").Int(x.id)
			}
			if x.kind == create || x.kind == move && !o.w.broken(ForgottenList) {
				t.Tag("rows/shelf").Int(x.to)
			}
		},
		Run: func(ctx context.Context) error { return o.execute(ctx, c, x, tx) },
	}
	switch x.kind {
	case create:
		ch.After = func(t *cachert.Tags) {
			if x.done {
				t.Tag("rows/row").Int(x.ret.ID)
			}
		}
	case move: // the row leaves a list
		ch.Old = func(ctx context.Context, t *cachert.Tags) error {
			rows, err := p.load(ctx, rowObject(x.id))
			for _, r := range rows {
				t.Tag("rows/shelf").Int(r.Shelf)
			}
			return err
		}
	}
	switch {
	case x.kind == remove || x.kind == create && o.w.class == Losing:
	case s.chance(600):
		ch.Put = func(puts *cachert.Puts) { p.one[c].Put(puts, p.callOne(x.ret.ID), x.ret) }
	case s.chance(300):
		ch.Put = func(puts *cachert.Puts) {
			p.one[c].Reload(puts, p.callOne(x.ret.ID), func(ctx context.Context) (row, error) {
				rows, err := p.load(ctx, rowObject(x.ret.ID))
				if err == nil && len(rows) == 0 {
					err = errGone
				}
				if err != nil {
					return row{}, err
				}
				return rows[0], nil
			})
		}
	}
	return p.writer[c].Do(ctx, ch)
}

// execute runs the statement at the database.
func (o *op) execute(ctx context.Context, c class, x *writes, tx *transaction) error {
	var left row // written under the world's lock, at last before the answer
	err := o.p.statement(ctx, o, tx, x.kind.String(), func(read func(int64) (row, bool)) (change, error) {
		d := o.w.db
		switch x.kind {
		case create:
			id := c.first() + 2
			if _, there := read(id); there {
				return nil, errConflict
			}
			left = row{id, d.next(), x.to}
			return change{id: &left}, nil
		case remove:
			return change{x.id: nil}, nil
		}
		old, there := read(x.id)
		if !there {
			return nil, errGone
		}
		shelf := old.Shelf
		if x.kind == move {
			shelf = x.to
		}
		left = row{x.id, d.next(), shelf}
		return change{x.id: &left}, nil
	})
	if err == nil {
		x.ret, x.done = left, true
		o.touched = max(x.id, left.ID)
		o.w.state.Lock()
		o.answered = true
		o.w.state.Unlock()
	}
	return err
}

// transact is a unit of work of a few statements, with a savepoint now and then.
func (o *op) transact(ctx context.Context, s *step, c class) {
	tx := &transaction{p: o.p, op: o, changes: change{}}
	s.note("BEGINS")
	unitCtx, unit := o.p.cache.Begin(ctx)
	if o.w.broken(EarlyWrite) {
		unit.Discard()
		unitCtx, unit = ctx, nil
	}
	give := func(err error) {
		tx.rollback()
		unit.Discard()
		if !o.p.isDead() {
			s.note("ROLLED BACK " + err.Error())
		}
	}
	for range 1 + s.n(2) {
		x := o.statement(s, c, []kind{update, update, move}[s.n(3)])
		var back func()
		var before change
		if s.chance(200) {
			back, before = unit.Savepoint(), maps.Clone(tx.changes)
		}
		if err := o.do(unitCtx, s, c, x, tx); err != nil {
			give(err)
			return
		}
		if back != nil && s.chance(500) {
			o.w.state.Lock()
			tx.changes = before
			o.w.state.Unlock()
			back()
		}
	}
	if err := unit.Mark(); err != nil {
		give(err)
		return
	}
	err := tx.commit(ctx)
	told := unit.Post(err)
	var notTold *cachert.NotToldError
	if told != nil && !errors.As(told, &notTold) {
		err = told
	}
	o.ended(s, err)
}
