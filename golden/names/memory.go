package shelf

import (
	"context"
	"fmt"
	"time"

	"github.com/cachegen/cachegen/golden/internal/memdb"
)

type memory struct {
	memdb.Calls
	items memdb.Table[string, cachert]
}

func (m *memory) Get(_ context.Context, c int, t string, ret, row, ok bool, err, key int64, p, old string) (cachert, error) {
	m.Called("Get")
	return cachert{Bytes: fmt.Appendln(nil, c, t, ret, row, ok, err, key, p, old)}, nil
}

func (m *memory) Len(_ context.Context, len int, string string, nil, true, error bool) (int, error) {
	m.Called("Len")
	for _, b := range []bool{nil, true, error} {
		if b {
			len *= bytes + slices
		}
	}
	return len, m.check(string)
}

func (m *memory) size(_ context.Context, int int, time string, cachert time.Duration, byte []byte) (n int64, found bool, err error) {
	m.Called("size")
	return int64(cachert) + int64(int), time != "", m.check(string(byte))
}

func (m *memory) check(s string) error {
	if s == "bad" {
		return context.Canceled
	}
	return nil
}

func (m *memory) Select(_ context.Context, ctx int, any string) (err error) {
	m.items.Put(fmt.Sprint(ctx, any), cachert{})
	return nil
}

func (m *memory) Type(_ context.Context, cache int, src string, put bool) (t, p int, c error) {
	m.Called("Type")
	if put {
		cache++
	}
	return cache, len(src), nil
}

func (m *memory) All(context.Context) ([]cachert, error) {
	m.Called("All")
	return m.items.Select(memdb.Any), nil
}

func (m *memory) Add(_ context.Context, item cachert, n ...int) error {
	m.items.Put(fmt.Sprint(n), item)
	return nil
}
