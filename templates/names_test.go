package templates

import (
	"fmt"
	"go/token"
	"go/types"
	"maps"
	"slices"
	"strings"
	"testing"
)

// TestAnyParameterName gives parameters and results every name that a generated body uses:
// predeclared ones, imports, package-level declarations and locals.
func TestAnyParameterName(t *testing.T) {
	used := map[string]bool{"Book": true, "ErrNotFound": true, "User": true, "Fold": true, "ctx": true}
	for _, name := range slices.Concat(types.Universe.Names(), ownLocals) {
		used[name] = true
	}
	for _, imp := range ownImports {
		used[imp[1]] = true
	}
	var src strings.Builder
	src.WriteString(`package shop

import (
	"context"
	"errors"
	"strings"
	"time"
)

var ErrNotFound = errors.New("")

type Book struct { ID int64; At time.Time; Tags []string }
type Filter struct { N int }

func User(ctx context.Context) string { return "" }
func Fold(s string) string { return strings.ToLower(s) }

type Repo interface {
	Get(ctx context.Context, id int64) (*Book, error)
`)
	methods := map[string]string{"Get": "read tag=book:{id} notfound=ErrNotFound"}
	for i, name := range slices.Sorted(maps.Keys(used)) {
		if token.IsKeyword(name) {
			continue
		}
		fmt.Fprintf(&src, "	R%d(_ context.Context, id int64, %s string, f Filter) (*Book, error)\n", i, name)
		fmt.Fprintf(&src, "	S%d(cx context.Context, id int64) (%s []*Book, n2 int, err2 error)\n", i, name)
		fmt.Fprintf(&src, "	W%d(_ context.Context, id int64, %s *Book) (*Book, error)\n", i, name)
		fmt.Fprintf(&src, "	V%d(cx context.Context, b *Book) (%s *Book, err3 error)\n", i, name)
		methods[fmt.Sprintf("R%d", i)] = "read ctx=User tag=book:{id} notfound=ErrNotFound negative norm=" + name + ":Fold"
		methods[fmt.Sprintf("S%d", i)] = "read tag=all:{id} tag=book:{row.ID}"
		methods[fmt.Sprintf("V%d", i)] = "write drop=book:{ret.ID} drop=book:{b.ID}"
		methods[fmt.Sprintf("W%d", i)] = fmt.Sprintf("write old=Get(id) drop=book:{id} drop=author:{old.ID} put=S%d(id) value=reload", i)
	}
	src.WriteString("}\n")
	rendered(t, src.String(), methods)
}
