package databases

import (
	"context"
	"database/sql/driver"
	"strings"
)

// hook is told of each step of a conversation with the database: "before COMMIT", "after
// SELECT id". What the database is sent, and what it answers, stays as it is.
type hook func(step string)

// hookedDriver is a driver, and the connector to one database, that tells hook.
type hookedDriver struct {
	driver  driver.Driver
	dsn     string
	hook    hook
	endless bool
}

func (d hookedDriver) Connect(ctx context.Context) (driver.Conn, error) {
	dc, ok := d.driver.(driver.DriverContext)
	if !ok {
		conn, err := d.driver.Open(d.dsn)
		return hookedConn{conn, d.hook, d.endless}, err
	}
	c, err := dc.OpenConnector(d.dsn)
	if err != nil {
		return nil, err
	}
	conn, err := c.Connect(ctx)
	return hookedConn{conn, d.hook, d.endless}, err
}

func (d hookedDriver) Driver() driver.Driver { return d.driver }

type hookedConn struct {
	driver.Conn
	hook    hook
	endless bool // the driver is never told of a context's end
}

func (c hookedConn) ctx(ctx context.Context) context.Context {
	if c.endless {
		return context.WithoutCancel(ctx)
	}
	return ctx
}

func (c hookedConn) around(step string, f func() error) error {
	c.hook("before " + step)
	err := f()
	c.hook("after " + step)
	return err
}

func (c hookedConn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	tx, err := c.Conn.(driver.ConnBeginTx).BeginTx(c.ctx(ctx), opts)
	return hookedTx{tx, c}, err
}

func (c hookedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Result, err error) {
	err = c.around(head(query), func() error {
		r, err = c.Conn.(driver.ExecerContext).ExecContext(c.ctx(ctx), query, args)
		return err
	})
	return r, err
}

func (c hookedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (r driver.Rows, err error) {
	err = c.around(head(query), func() error {
		r, err = c.Conn.(driver.QueryerContext).QueryContext(c.ctx(ctx), query, args)
		return err
	})
	return r, err
}

func (c hookedConn) CheckNamedValue(v *driver.NamedValue) error {
	if checker, ok := c.Conn.(driver.NamedValueChecker); ok {
		return checker.CheckNamedValue(v)
	}
	return driver.ErrSkip
}

type hookedTx struct {
	driver.Tx
	conn hookedConn
}

func (t hookedTx) Commit() error { return t.conn.around("COMMIT", t.Tx.Commit) }

// head is how a statement begins.
func head(query string) string {
	words := strings.FieldsFunc(query, func(r rune) bool { return r == ' ' || r == ',' })
	if words[0] == "DELETE" {
		return words[0]
	}
	return strings.Join(words[:min(2, len(words))], " ")
}
