package codecs

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Amount is like the decimal types: its fields are nobody's business, and it has a binary
// pair.
type Amount struct {
	units []int64
	scale int8
}

// NewAmount returns an amount with a scale.
func NewAmount(scale int8, units ...int64) Amount { return Amount{units, scale} }

// MarshalBinary is the first half of the pair.
func (a Amount) MarshalBinary() ([]byte, error) {
	b := []byte{byte(a.scale)}
	for _, u := range a.units {
		b = binary.BigEndian.AppendUint64(b, uint64(u))
	}
	return b, nil
}

// UnmarshalBinary is the second half.
func (a *Amount) UnmarshalBinary(b []byte) error {
	if len(b)%8 != 1 {
		return errors.New("not an amount")
	}
	*a = Amount{scale: int8(b[0])}
	for b = b[1:]; len(b) > 0; b = b[8:] {
		a.units = append(a.units, int64(binary.BigEndian.Uint64(b)))
	}
	return nil
}

// Level is a number with a text pair, which nothing needs: a number can be stored as it is.
type Level uint8

// MarshalText fails for the levels that have no name.
func (l Level) MarshalText() ([]byte, error) {
	if l > 2 {
		return nil, fmt.Errorf("level %d has no name", l)
	}
	return []byte{'a' + byte(l)}, nil
}

// UnmarshalText undoes MarshalText.
func (l *Level) UnmarshalText(b []byte) error {
	*l = Level(b[0] - 'a')
	return nil
}
