package load

import (
	"go/ast"
	"go/build/constraint"
	"path/filepath"
	"slices"
	"strings"
)

// The systems and machines whose names end a file's name with a meaning, from the build
// constraints of the go command.
var (
	systems  = strings.Fields("aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos")
	machines = strings.Fields("386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm")
)

// constraintOf is the build constraint of a file: that of its name and that of its
// //go:build line. Files generated from it carry it, because their own names end otherwise.
func constraintOf(name string, f *ast.File) string {
	var parts []string
	base, _, _ := strings.Cut(filepath.Base(name), ".")
	elems := strings.Split(base, "_")
	if n := len(elems); n > 2 && slices.Contains(systems, elems[n-2]) && slices.Contains(machines, elems[n-1]) {
		parts = append(parts, elems[n-2], elems[n-1])
	} else if n > 1 && (slices.Contains(systems, elems[n-1]) || slices.Contains(machines, elems[n-1])) {
		parts = append(parts, elems[n-1])
	}
	for _, group := range f.Comments {
		if group.Pos() > f.Package {
			break
		}
		for _, c := range group.List {
			if expr, err := constraint.Parse(c.Text); err == nil && constraint.IsGoBuild(c.Text) {
				text := expr.String()
				if _, or := expr.(*constraint.OrExpr); or && len(parts) > 0 {
					text = "(" + text + ")"
				}
				parts = append(parts, text)
			}
		}
	}
	return strings.Join(parts, " && ")
}
