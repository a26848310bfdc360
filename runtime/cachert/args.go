package cachert

import (
	"cmp"
	"encoding"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"time"
)

// Args encodes the arguments of a key or a tag as text in which no two different lists of
// arguments of the same types look alike: elements are separated by ':', lists stand in
// parentheses, and bytes with a meaning of their own are escaped as %XX.
//
// The methods append one element each and return their receiver. An Args is used by one
// goroutine. The zero value is an empty list.
type Args struct {
	buf   []byte
	after bool // an element stands before: a separator is due
	inst  bool // times compare as instants (tags); keys keep the zone offset too
	err   error
}

// NewArgs returns an empty list.
func NewArgs() *Args { return &Args{buf: make([]byte, 0, 48)} }

// Err returns the first element that could not be encoded. A read with such a key goes to
// the source; a write with such a tag drops its whole repository.
func (a *Args) Err() error {
	if a == nil {
		return nil
	}
	return a.err
}

func (a *Args) next() {
	if a.after {
		a.buf = append(a.buf, ':')
	}
	a.after = true
}

// Int appends a signed integer.
func (a *Args) Int(v int64) *Args {
	a.next()
	a.buf = strconv.AppendInt(a.buf, v, 10)
	return a
}

// Uint appends an unsigned integer.
func (a *Args) Uint(v uint64) *Args {
	a.next()
	a.buf = strconv.AppendUint(a.buf, v, 10)
	return a
}

// Bool appends a truth value.
func (a *Args) Bool(v bool) *Args {
	a.next()
	a.buf = strconv.AppendBool(a.buf, v)
	return a
}

// Float appends a number. All NaNs are alike.
func (a *Args) Float(v float64) *Args {
	a.next()
	a.buf = strconv.AppendFloat(a.buf, v, 'g', -1, 64)
	return a
}

// Str appends a string.
func (a *Args) Str(v string) *Args {
	a.next()
	a.buf = appendEscaped(a.buf, v)
	return a
}

// Bytes appends a byte string.
func (a *Args) Bytes(v []byte) *Args {
	a.next()
	a.buf = appendEscaped(a.buf, string(v))
	return a
}

// Time appends an instant. In a key the zone's offset counts too, because a date column is
// asked for the day in that zone; in a tag only the instant does. The monotonic reading
// never counts.
func (a *Args) Time(v time.Time) *Args {
	a.next()
	a.buf = strconv.AppendInt(a.buf, v.Unix(), 10)
	a.buf = append(a.buf, '.')
	a.buf = strconv.AppendInt(a.buf, int64(v.Nanosecond()), 10)
	if _, offset := v.Zone(); offset != 0 && !a.inst {
		a.buf = append(a.buf, '@')
		a.buf = strconv.AppendInt(a.buf, int64(offset), 10)
	}
	return a
}

// Text appends v's text form, such as a UUID's.
func (a *Args) Text(v encoding.TextMarshaler) *Args {
	text, err := v.MarshalText()
	if err != nil && a.err == nil {
		a.err = fmt.Errorf("cachegen: cannot encode a %T in a key: %w", v, err)
	}
	return a.Bytes(text)
}

// Nil appends the absence of a value, distinct from every value.
func (a *Args) Nil() *Args {
	a.next()
	a.buf = append(a.buf, '~')
	return a
}

// Open begins a nested list: a struct, or after Len a slice or map.
func (a *Args) Open() *Args {
	a.next()
	a.buf = append(a.buf, '(')
	a.after = false
	return a
}

// Close ends the list begun by the last Open.
func (a *Args) Close() *Args {
	a.buf = append(a.buf, ')')
	a.after = true
	return a
}

// Len appends the number of elements of the list just opened.
func (a *Args) Len(n int) *Args { return a.Int(int64(n)) }

// Map appends a map in the order of its keys.
func Map[K cmp.Ordered, V any](a *Args, m map[K]V, key func(*Args, K), val func(*Args, V)) *Args {
	if m == nil {
		return a.Nil()
	}
	a.Open().Len(len(m))
	for _, k := range slices.Sorted(maps.Keys(m)) {
		key(a, k)
		val(a, m[k])
	}
	return a.Close()
}

// text is the list as part of a key, at most maxArgs bytes long.
func (a *Args) text() string {
	if a == nil {
		return ""
	}
	return shorten(string(a.buf), maxArgs)
}

// appendEscaped writes v with control bytes, delimiters and braces (they would move a key
// to another cluster slot) as %XX.
func appendEscaped(b []byte, v string) []byte {
	for i := range len(v) {
		switch c := v[i]; {
		case c <= ' ', c == 0x7f, c == ':', c == '(', c == ')', c == '{', c == '}', c == '%', c == '~', c == '#', c == '@' && i == 0:
			b = append(b, '%', "0123456789ABCDEF"[c>>4], "0123456789ABCDEF"[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}
