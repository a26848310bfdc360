package load

import (
	"go/parser"
	"go/token"
	"testing"
)

func TestConstraintOf(t *testing.T) {
	const or = "//go:build a || b\n\npackage p\n"
	for _, tt := range []struct{ name, src, want string }{
		{"books.go", "package p\n", ""},
		{"books_linux.go", "package p\n", "linux"},
		{"books_amd64.go", "package p\n", "amd64"},
		{"books_linux_amd64.go", "package p\n", "linux && amd64"},
		{"books_amd64_linux.go", "package p\n", "linux"},
		{"linux.go", "package p\n", ""},
		{"linux_amd64.go", "package p\n", "amd64"},
		{"books_unix.go", "package p\n", ""},
		{"v1.2_linux.go", "package p\n", ""}, // the go command looks no further than the first dot
		{"/home/x_linux/books.go", "package p\n", ""},
		{"books.go", or, "a || b"},
		{"books_linux.go", or, "linux && (a || b)"},
		{"books_linux.go", "//go:build a && !b\n\npackage p\n", "linux && a && !b"},
		{"books.go", "// Package p\n\n//go:build a\n\n// is here.\npackage p\n", "a"},
		{"books.go", "// +build a\n\npackage p\n", ""},
		{"books.go", "package p\n\n//go:build a\n", ""},
	} {
		f, err := parser.ParseFile(token.NewFileSet(), tt.name, tt.src, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		if got := constraintOf(tt.name, f); got != tt.want {
			t.Errorf("%s %q: %q, want %q", tt.name, tt.src, got, tt.want)
		}
	}
}
