package check

import (
	"go/types"
	"testing"
)

func TestLiteralType(t *testing.T) {
	for _, c := range []struct {
		text    string
		want    string // "" where there is no such literal
		literal bool
	}{
		{"true", "untyped bool", true},
		{"nil", "untyped nil", true},
		{"0", "untyped int", true},
		{"-3", "untyped int", true},
		{"1.5", "untyped float", true},
		{`"leader"`, "untyped string", true},
		{`"leader`, "", true},
		{"0x", "", true},
		{"LockNone", "", false},
		{"sql.LevelDefault", "", false},
	} {
		got, literal := literalType(c.text)
		text := ""
		if got != nil {
			text = types.TypeString(got, nil)
		}
		if text != c.want || literal != c.literal {
			t.Errorf("%s: %q %v, want %q %v", c.text, text, literal, c.want, c.literal)
		}
	}
}
