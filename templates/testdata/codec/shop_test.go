package shop

import (
	"math/big"
	"net/netip"
	"net/url"
	"reflect"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

func book() *Book {
	born := time.Date(1812, 2, 7, 0, 0, 0, 0, time.UTC)
	home, _ := url.Parse("https://example.org/a?b=c")
	return &Book{
		ID: 1, Version: -2, Title: "Bleak House", Status: 3, Price: 9.5, Cover: []byte{}, ISBN: [13]byte{9, 7, 8},
		Tags: []string{"a", ""}, At: time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC), Author: &Author{"Dickens", &born},
		Related: map[Status][]Author{1: {{Name: "X"}}, 2: nil}, Amount: *big.NewInt(1 << 40), Home: *home,
		Addr: netip.MustParseAddr("::1"), token: "secret",
	}
}

func check[V any](t *testing.T, c cachert.Codec[V], v V) {
	t.Helper()
	data, err := c.Append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.Decode(data)
	if err != nil || !reflect.DeepEqual(got, v) {
		t.Errorf("%T: %+v became %+v, %v", v, v, got, err)
	}
	for n := range len(data) {
		if _, err := c.Decode(data[:n]); err == nil {
			t.Errorf("%T: %d of %d bytes were enough", v, n, len(data))
		}
	}
	if c.Clone != nil {
		if got := c.Clone(v); !reflect.DeepEqual(got, v) {
			t.Errorf("%T: clone %+v of %+v", v, got, v)
		}
	}
	if c.Size(v) < 0 {
		t.Errorf("%T: size", v)
	}
}

func TestCodecs(t *testing.T) {
	check(t, shopCodecBookPtr, book())
	check(t, shopCodecBookPtr, nil)
	check(t, shopCodecBookPtr, &Book{})
	check(t, shopCodecPageAuthor, Page[Author]{[]Author{{Name: "a"}}, 7})
	check(t, shopCodecInt, -5)
	check(t, shopCodecStringToBookPtr, map[string]*Book{"a": book(), "b": nil})
	check(t, shopCodecTimeTime, time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC))
	check(t, shopCodecStatusSliceArray2, [2][]Status{nil, {1, 2}})
}

func TestCloneSharesNothing(t *testing.T) {
	v := book()
	c := shopCodecBookPtr.Clone(v)
	c.Tags[0], c.Author.Name, c.Related[1][0].Name = "x", "x", "x"
	*c.Author.Born = time.Time{}
	c.Amount.SetInt64(0)
	if !reflect.DeepEqual(v, book()) {
		t.Errorf("the original changed: %+v", v)
	}
}

func TestSizeCountsWhatIsHeld(t *testing.T) {
	small, large := &Book{}, book()
	large.Title = string(make([]byte, 1000))
	if d := shopCodecBookPtr.Size(large) - shopCodecBookPtr.Size(small); d < 1000 {
		t.Errorf("1000 bytes more count as %d", d)
	}
}
