package cachert

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

var tuples = flag.Int("tuples", 200_000, "lists of arguments that TestKeysDoNotCollide encodes")

// A value knows two encodings: that of keys, and a plain binary one, with all lengths written
// out, that tells any two values of one type apart.
type value interface {
	key(a *Args)
	plain(b []byte) []byte
}

type (
	number  int64
	natural uint64
	truth   bool
	float   float64
	str     string
	raw     []byte
	instant struct{ time.Time }
	ptr     struct{ to value } // nil, or a value
	list    struct {
		null  bool
		elems []value
	}
	strct  []value
	strMap map[string]int64
)

func (v number) key(a *Args)  { a.Int(int64(v)) }
func (v natural) key(a *Args) { a.Uint(uint64(v)) }
func (v truth) key(a *Args)   { a.Bool(bool(v)) }
func (v float) key(a *Args)   { a.Float(float64(v)) }
func (v str) key(a *Args)     { a.Str(string(v)) }

func (v raw) key(a *Args) {
	if v == nil {
		a.Nil()
		return
	}
	a.Bytes(v)
}

func (v instant) key(a *Args) { a.Time(v.Time) }

func (v ptr) key(a *Args) {
	if v.to == nil {
		a.Nil()
		return
	}
	switch inner := v.to.(type) {
	case ptr, list, strMap, raw: // a pointer to nil is not a nil pointer
		a.Open()
		inner.key(a)
		a.Close()
	default:
		inner.key(a)
	}
}

func (v list) key(a *Args) {
	if v.null {
		a.Nil()
		return
	}
	a.Open().Len(len(v.elems))
	for _, e := range v.elems {
		e.key(a)
	}
	a.Close()
}

func (v strct) key(a *Args) {
	a.Open()
	for _, e := range v {
		e.key(a)
	}
	a.Close()
}

func (v strMap) key(a *Args) {
	Map(a, v, func(a *Args, k string) { a.Str(k) }, func(a *Args, n int64) { a.Int(n) })
}

func (v number) plain(b []byte) []byte  { return binary.BigEndian.AppendUint64(b, uint64(v)) }
func (v natural) plain(b []byte) []byte { return binary.BigEndian.AppendUint64(b, uint64(v)) }
func (v str) plain(b []byte) []byte     { return appendString(b, string(v)) }

func (v truth) plain(b []byte) []byte {
	if v {
		return append(b, 1)
	}
	return append(b, 0)
}

func (v float) plain(b []byte) []byte {
	if math.IsNaN(float64(v)) {
		v = float(math.NaN()) // all are alike
	}
	return binary.BigEndian.AppendUint64(b, math.Float64bits(float64(v)))
}

func (v raw) plain(b []byte) []byte {
	if v == nil {
		return append(b, 0)
	}
	return appendString(append(b, 1), string(v))
}

func (v instant) plain(b []byte) []byte {
	_, offset := v.Zone()
	b = binary.BigEndian.AppendUint64(b, uint64(v.Unix()))
	return binary.BigEndian.AppendUint64(b, uint64(v.Nanosecond())<<32|uint64(uint32(offset)))
}

func (v ptr) plain(b []byte) []byte {
	if v.to == nil {
		return append(b, 0)
	}
	return v.to.plain(append(b, 1))
}

func (v list) plain(b []byte) []byte {
	if v.null {
		return append(b, 0)
	}
	b = binary.AppendUvarint(append(b, 1), uint64(len(v.elems)))
	for _, e := range v.elems {
		b = e.plain(b)
	}
	return b
}

func (v strct) plain(b []byte) []byte {
	for _, e := range v {
		b = e.plain(b)
	}
	return b
}

func (v strMap) plain(b []byte) []byte {
	if v == nil {
		return append(b, 0)
	}
	b = binary.AppendUvarint(append(b, 1), uint64(len(v)))
	for _, k := range []string{"", ":", "(", "a", "a:1", "~"} {
		if n, ok := v[k]; ok {
			b = binary.BigEndian.AppendUint64(appendString(b, k), uint64(n))
		}
	}
	return b
}

// pieces make up strings that try to look like the encoding itself.
var pieces = []string{
	"", ":", "::", "(", ")", "()", "~", "#", "@", "/", "%", "%3A", "%25", "{", "}", ",", " ", "\n", "\x00", "\x7f", "\xff", "é", "a", "b",
	"1", "0", "-1", "true", "nil", "NaN", "@acme/", "(1:a)", "~:~", "1.0", "@3600", "*", strings.Repeat("x", 95), strings.Repeat(":", 60),
}

func someText(r *rand.Rand) string {
	var b strings.Builder
	for range r.IntN(4) {
		b.WriteString(pieces[r.IntN(len(pieces))])
	}
	return b.String()
}

// kindOf makes a generator of values of one random type.
func kindOf(r *rand.Rand, depth int) func(*rand.Rand) value {
	kinds := 11
	if depth == 0 {
		kinds = 7
	}
	switch r.IntN(kinds) {
	case 0:
		return func(r *rand.Rand) value { return number(r.Int64N(40) - 20) }
	case 1:
		return func(r *rand.Rand) value { return natural(r.Uint64() >> r.IntN(64)) }
	case 2:
		return func(r *rand.Rand) value { return truth(r.IntN(2) == 0) }
	case 3:
		odd := []float64{0, math.Copysign(0, -1), math.NaN(), math.Inf(1), math.Inf(-1), 1, 1e21, 0.1, math.MaxFloat64, math.SmallestNonzeroFloat64}
		return func(r *rand.Rand) value { return float(odd[r.IntN(len(odd))]) }
	case 4:
		return func(r *rand.Rand) value { return str(someText(r)) }
	case 5:
		return func(r *rand.Rand) value {
			if r.IntN(5) == 0 {
				return raw(nil)
			}
			return raw(someText(r))
		}
	case 6:
		return func(r *rand.Rand) value {
			zone := time.FixedZone("", (r.IntN(3)-1)*3600)
			return instant{time.Unix(r.Int64N(20)-10, r.Int64N(2)*100_000_000).In(zone)}
		}
	case 7:
		elem := kindOf(r, depth-1)
		return func(r *rand.Rand) value {
			if r.IntN(3) == 0 {
				return ptr{}
			}
			return ptr{elem(r)}
		}
	case 8:
		elem := kindOf(r, depth-1)
		return func(r *rand.Rand) value {
			v := list{null: r.IntN(5) == 0}
			for range r.IntN(4) {
				v.elems = append(v.elems, elem(r))
			}
			return v
		}
	case 9:
		fields := make([]func(*rand.Rand) value, r.IntN(4))
		for i := range fields {
			fields[i] = kindOf(r, depth-1)
		}
		return func(r *rand.Rand) value {
			v := make(strct, len(fields))
			for i, f := range fields {
				v[i] = f(r)
			}
			return v
		}
	default:
		return func(r *rand.Rand) value {
			if r.IntN(5) == 0 {
				return strMap(nil)
			}
			v := strMap{}
			for range r.IntN(3) {
				v[[]string{"", ":", "(", "a", "a:1", "~"}[r.IntN(6)]] = r.Int64N(3)
			}
			return v
		}
	}
}

// method is a read with parameters of random types, one tag, and tenants.
type method struct {
	id     string
	params []func(*rand.Rand) value
}

func methods(n int) []method {
	out := make([]method, n)
	for i := range out {
		r := rand.New(rand.NewPCG(uint64(i), 7))
		out[i].id = "r." + strconv.Itoa(i)
		for range r.IntN(5) {
			out[i].params = append(out[i].params, kindOf(r, 3))
		}
	}
	return out
}

// call is one random call of m: its key in the store, and what tells it from every other one.
func (m method) call(r *rand.Rand, keys *keyspace) (key string, plain []byte) {
	tenant := someText(r)
	plain = appendString(appendString(nil, m.id), tenant)
	a, tag := NewArgs(), &Args{}
	for i, p := range m.params {
		v := p(r)
		v.key(a)
		if i == 0 {
			v.key(tag)
		}
		plain = v.plain(plain)
	}
	sc, text := scope(tenant), a.text()
	return keys.entry(keys.tagCell(sc, "r/t", tag), sc+m.id+":"+text, sc+m.id+":s:"+text), plain
}

// TestKeysDoNotCollide encodes random calls. It keeps 24 bytes for each, of a part at a time, so
// that the memory stays bounded: the same calls are made once for each part.
func TestKeysDoNotCollide(t *testing.T) {
	const part = 5_000_000
	parts := uint64((*tuples + part - 1) / part)
	all, keys := methods(200), newKeyspace("ns")
	distinct, longest := 0, 0
	var mu sync.Mutex // guards distinct and longest
	var wg sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	for p := range parts {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			r := rand.New(rand.NewPCG(uint64(*tuples), 3))
			seen := map[[16]byte]uint64{}
			most := 0
			for range *tuples {
				key, plain := all[r.IntN(len(all))].call(r, &keys)
				most = max(most, len(key))
				sum := sha256.Sum256([]byte(key))
				if binary.BigEndian.Uint64(sum[16:])%parts != p {
					continue
				}
				id := sha256.Sum256(plain)
				want := binary.BigEndian.Uint64(id[:])
				if got, ok := seen[[16]byte(sum[:16])]; ok && got != want {
					t.Errorf("two different calls have the key %s", key)
					return
				}
				seen[[16]byte(sum[:16])] = want
			}
			mu.Lock()
			defer mu.Unlock()
			distinct += len(seen)
			longest = max(longest, most)
		})
	}
	wg.Wait()
	if longest > maxKey {
		t.Errorf("a key of %d bytes", longest)
	}
	t.Logf("%d calls of %d methods, %d different ones, 0 collisions; the longest key has %d bytes", *tuples, len(all), distinct, longest)
}

// Lists that have been mistaken for each other somewhere, or look as if they could be.
func TestListsThatLookAlike(t *testing.T) {
	long := strings.Repeat("x", 200)
	utc := time.Unix(0, 0).UTC()
	for name, lists := range map[string][]strct{
		"two strings": {
			{str("a"), str("b:c")}, {str("a:b"), str("c")}, {str("a:b:c"), str("")}, {str(""), str("a:b:c")}, {str("a%3Ab"), str("c")},
			{str("a%253Ab"), str("c")}, {str("~"), str("")}, {str(""), str("~")}, {str("("), str(")")}, {str("()"), str("")}, {str("#"), str("")},
			{str(" a"), str("")}, {str("a "), str("")}, {str("a"), str(" ")}, {str("A"), str("b")}, {str("é"), str("")}, {str("e\u0301"), str("")},
			{str("a\x00"), str("")}, {str("a"), str("\x00")}, {str("{"), str("}")}, {str("@a/"), str("")}, {str(""), str("@a/")},
			{str(long), str("")}, {str(""), str(long)}, {str(long + "x"), str("")}, {str(long), str("x")},
		},
		"pointers to strings": {
			{ptr{}}, {ptr{str("")}}, {ptr{str("~")}}, {ptr{str("nil")}}, {ptr{str("%7E")}},
		},
		"pointers to pointers": {
			{ptr{}}, {ptr{ptr{}}}, {ptr{ptr{str("")}}}, {ptr{ptr{str("~")}}},
		},
		"bytes": {{raw(nil)}, {raw{}}, {raw("~")}, {raw{0}}, {raw{0, 0}}, {raw("%00")}},
		"lists of lists": {
			{list{null: true}}, {list{}}, {list{elems: []value{list{}}}}, {list{elems: []value{list{null: true}}}},
			{list{elems: []value{list{}, list{}}}}, {list{elems: []value{list{elems: []value{str("")}}}}},
			{list{elems: []value{list{elems: []value{str(""), str("")}}}}}, {list{elems: []value{list{elems: []value{str(":")}}}}},
			{list{elems: []value{list{elems: []value{str("a")}}, list{elems: []value{str("b")}}}}},
			{list{elems: []value{list{elems: []value{str("a"), str("b")}}}}}, {list{elems: []value{list{elems: []value{str("a)(b")}}}}},
		},
		"two lists": {
			{list{elems: []value{number(1)}}, list{elems: []value{number(2), number(3)}}},
			{list{elems: []value{number(1), number(2)}}, list{elems: []value{number(3)}}},
			{list{}, list{elems: []value{number(1), number(2), number(3)}}}, {list{elems: []value{number(1), number(2), number(3)}}, list{}},
			{list{null: true}, list{}}, {list{}, list{null: true}},
		},
		"structs in structs": {
			{strct{str("a"), strct{str("b")}}}, {strct{str("a:b"), strct{str("")}}}, {strct{str("a"), strct{str("b)")}}}, {strct{str("a("), strct{str("b")}}},
		},
		"maps": {
			{strMap(nil)}, {strMap{}}, {strMap{"": 0}}, {strMap{"a": 1}}, {strMap{"a:1": 0}}, {strMap{"a": 1, "": 0}}, {strMap{":": 1}},
		},
		"times": {
			{instant{utc}}, {instant{utc.Add(1)}}, {instant{utc.In(time.FixedZone("", 60))}}, {instant{utc.In(time.FixedZone("", -60))}},
			{instant{utc.Add(100 * time.Millisecond)}}, {instant{time.Time{}}}, {instant{utc.Add(-1)}},
		},
		"numbers": {
			{float(0), number(0)}, {float(math.Copysign(0, -1)), number(0)}, {float(1), number(-1)}, {float(-1), number(1)},
			{float(math.Inf(1)), number(1)}, {float(math.NaN()), number(1)}, {float(1e21), number(1)}, {float(1), number(math.MinInt64)}, {float(1), number(math.MaxInt64)},
		},
	} {
		seen := map[string]int{}
		for i, l := range lists {
			a := NewArgs()
			for _, v := range l {
				v.key(a)
			}
			if other, ok := seen[a.text()]; ok {
				t.Errorf("%s: lists %d and %d are both %q", name, other, i, a.text())
			}
			seen[a.text()] = i
		}
	}
}

// Tenants, tags and methods that look like each other's keys.
func TestTenantsThatLookAlike(t *testing.T) {
	keys := newKeyspace("ns")
	seen := map[string]string{}
	for _, tenant := range []string{"", "a", "a/b", "@a", "a%2Fb", "%61", "A", "a/", "/a", "{a}", "a:b", strings.Repeat("t", 64), strings.Repeat("t", 65), strings.Repeat("t", 66), "*"} {
		for _, name := range []string{"a/b", "a/*", "books/b", strings.Repeat("n", 96), strings.Repeat("n", 97)} {
			for _, arg := range []string{"-", "b", "b/c", "*", strings.Repeat("x", 128), strings.Repeat("x", 129)} {
				a := &Args{}
				if arg != "-" {
					a.Str(arg)
				}
				cell, what := keys.tagCell(scope(tenant), name, a), fmt.Sprintf("%q %q %q", tenant, name, arg)
				if other, ok := seen[cell]; ok {
					t.Errorf("%s and %s both are %s", what, other, cell)
				}
				seen[cell] = what
			}
		}
	}
}

// Whatever is long, no key is, and what is long is told apart all the same.
func TestKeysHaveALimit(t *testing.T) {
	seen := map[string]string{}
	check := func(key, what string) {
		t.Helper()
		if len(key) > maxKey {
			t.Errorf("%s: a key of %d bytes", what, len(key))
		}
		if strings.Count(key, "{") != 1 || strings.Count(key, "}") != 1 {
			t.Errorf("%s: %s has more than one slot", what, key)
		}
		if other, ok := seen[key]; ok && other != what {
			t.Errorf("%s and %s both are %s", what, other, key)
		}
		seen[key] = what
	}
	for _, size := range []int{1, 63, 64, 65, 95, 96, 97, 127, 128, 129, 500, 10_000} {
		for _, letter := range []string{"a", "b", "{", "%", ":", "é"} {
			text := strings.Repeat(letter, size) + "!"
			s := newShop(t, func(o *Options, _ *ReadPolicy[*book], _ *WritePolicy) {
				o.Namespace = strings.Repeat("n", maxNamespace)
			})
			keys := &s.cache.keys
			name := strings.Repeat("r", min(size, 300))
			repo := s.cache.Repo(RepoPolicy{Name: name, Tenant: TenantFromContext})
			reader := NewReader(repo, ReadPolicy[*book]{Method: name, Key: name, Schema: "0123456789abcdef", TTL: time.Minute, Codec: bookCodec})
			ctx := WithTenant(context.Background(), text)
			key := NewArgs().Str(text).Str(text)
			for tag, tags := range map[string]func(*Tags){
				"none": nil,
				"many": func(t *Tags) { t.Tag(name + "/" + name).Str(text).Str(text).Str(text) },
			} {
				what := fmt.Sprintf("%d times %s, tag %s", size, letter, tag)
				target, ok := reader.resolve(ctx, scope(text), reader.nearKey(scope(text), key.text()), key.text(), Call[*book]{Key: key, Tags: tags})
				if !ok {
					t.Fatal("no key")
				}
				check(target.entry, what)
				if len(target.cells) > 2 {
					check(target.cells[2], "cell of "+what)
					if !strings.HasPrefix(target.entry, target.cells[2]+":") {
						t.Errorf("%s: entry %s stands in another slot than %s", what, target.entry, target.cells[2])
					}
				}
				check(target.cells[1], "repository of length "+strconv.Itoa(len(name)))
			}
			check(keys.namespaceCell(), "namespace")
		}
	}
	if _, err := Open(Options{Namespace: strings.Repeat("n", maxNamespace+1)}); err == nil {
		t.Error("a namespace of any length is accepted")
	}
}

func FuzzKeys(f *testing.F) {
	for i, p := range pieces {
		f.Add(p, pieces[len(pieces)-1-i], pieces[i], "a")
	}
	f.Fuzz(func(t *testing.T, a, b, c, d string) {
		keys := newKeyspace("ns")
		key := func(tenant, arg string) string {
			text := NewArgs().Str(arg).Open().Len(1).Bytes([]byte(tenant)).Close().text()
			sc := scope(tenant)
			return keys.entry("", sc+"r.M:"+text, sc+"r.M:s:"+text)
		}
		one, other := key(a, b), key(c, d)
		if (one == other) != (a == c && b == d) || len(one) > maxKey {
			t.Errorf("%q %q and %q %q: %s and %s", a, b, c, d, one, other)
		}
	})
}
