package templates

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"go/types"
	"strings"

	"github.com/cachegen/cachegen/generator/model/shape"
)

// wireVersion changes when the same shape is encoded in another way.
const wireVersion = "1"

// fingerprint is 64 bits over all that the encoding follows: the names, order and kinds of
// fields, down to the last one. Names of types count only where the type has a marshal pair
// of its own, whose form nothing else tells. Tags, comments and methods do not count.
func fingerprint(s *shape.Shape) string {
	sum := sha256.Sum256([]byte(wireVersion + " " + outline(s)))
	return hex.EncodeToString(sum[:8])
}

func outline(s *shape.Shape) string {
	switch s.Kind {
	case shape.Basic:
		return s.Type.Underlying().String()
	case shape.Bytes, shape.Time:
		return s.Kind.String()
	case shape.Pointer, shape.Slice:
		return fmt.Sprintf("%s(%s)", s.Kind, outline(s.Elem))
	case shape.Array:
		return fmt.Sprintf("array(%d,%s)", s.Len, outline(s.Elem))
	case shape.Map:
		return fmt.Sprintf("map(%s,%s)", outline(s.Key), outline(s.Elem))
	case shape.Struct:
		var b strings.Builder
		for _, f := range kept(s) {
			fmt.Fprintf(&b, "%s:%s;", f.Name, outline(f.Shape))
		}
		return "struct{" + b.String() + "}"
	}
	return fmt.Sprintf("%s[%s]", s.Kind, types.TypeString(types.Unalias(s.Type), nil))
}
