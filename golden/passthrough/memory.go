package passthrough

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io"
	"iter"
	"strings"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

// Memory is the library in memory.
type Memory struct {
	memdb.Calls
	docs    memdb.Table[int64, Doc]
	touched []string
	hooks   int
}

func (m *Memory) String() string { return "library in memory" }

func (m *Memory) Title(_ context.Context, id int64) (string, error) {
	m.Called("Title")
	doc, _ := m.docs.Get(id)
	return doc.Title, nil
}

func (m *Memory) SetTitle(_ context.Context, id int64, title string) error {
	if !m.docs.Change(id, func(d *Doc) { d.Title = title }) {
		m.docs.Put(id, Doc{ID: id, Title: title})
	}
	return nil
}

func (m *Memory) Each(_ context.Context, fn func(Doc) error) error {
	for _, doc := range m.docs.Select(memdb.Any) {
		if err := fn(doc); err != nil {
			return err
		}
	}
	return nil
}

func (m *Memory) All(_ context.Context, opts ...Option) iter.Seq2[Doc, error] {
	docs := m.docs.Select(memdb.Any)
	q := query{limit: len(docs)}
	for _, opt := range opts {
		opt(&q)
	}
	return func(yield func(Doc, error) bool) {
		for _, doc := range docs[:q.limit] {
			if !yield(doc, nil) {
				return
			}
		}
	}
}

func (m *Memory) Watch(buffer int) (ids <-chan int64, stop func()) {
	changes := make(chan int64, buffer)
	for _, doc := range m.docs.Select(memdb.Any) {
		changes <- doc.ID
	}
	return changes, func() { close(changes) }
}

func (m *Memory) Export(_ context.Context, id int64, w io.Writer) (int64, error) {
	doc, _ := m.docs.Get(id)
	return io.Copy(w, bytes.NewReader(doc.Body))
}

func (m *Memory) Import(_ context.Context, id int64, r interface{ io.Reader }) error {
	body, err := io.ReadAll(r)
	m.docs.Change(id, func(d *Doc) { d.Body = body })
	return err
}

func (m *Memory) Body(_ context.Context, id int64) (io.ReadCloser, error) {
	doc, _ := m.docs.Get(id)
	return io.NopCloser(bytes.NewReader(doc.Body)), nil
}

func (m *Memory) InTx(_ *sql.Tx, _ *sql.TxOptions, schema, table string) (Library, any) {
	return m, schema + "." + table
}

func (m *Memory) Hook(c struct {
	Before, After func(ctx context.Context, err *error)
}, t map[string]chan<- error,
) (restore func() error) {
	m.hooks = len(t)
	return func() (err error) {
		c.After(context.Background(), &err)
		return err
	}
}

func (m *Memory) Touch(id int64, names ...string) {
	m.touched = append(m.touched, fmt.Sprint(id, strings.Join(names, "+")))
}

func (m *Memory) Close() error { return io.ErrClosedPipe }
