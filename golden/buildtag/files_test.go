//go:build unix

package buildtag_test

import (
	"go/build/constraint"
	"os"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/golden/buildtag"
	"github.com/cachegen/cachegen/golden/internal/goldentest"
	"github.com/cachegen/cachegen/runtime/cachert"
)

func TestMain(m *testing.M) { goldentest.Main(m) }

func TestWrapper(t *testing.T) {
	goldentest.Each(t, func(t *testing.T, cache *cachert.Cache) {
		source := &buildtag.Memory{}
		files := buildtag.NewCachedFileRepo(source, cache)
		probe := goldentest.Watch(t, cache, source)
		inode := func(want buildtag.Inode) func() {
			return func() {
				got, err := files.Inode(t.Context(), "/etc/hosts")
				goldentest.Want(t, got, err, want)
			}
		}
		probe.MissThenHit(inode(0))
		goldentest.Do(t, files.Create(t.Context(), "/etc/hosts"))
		probe.MissThenHit(inode(1))
	})
}

func TestGeneratedFilesKeepTheConstraint(t *testing.T) {
	for _, name := range []string{"files.go", "files_cachegen.go", "files_cachegen_codec.go"} {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		found := false
		for line := range strings.Lines(string(text)) {
			if strings.HasPrefix(line, "package ") {
				break
			}
			if expr, err := constraint.Parse(strings.TrimSpace(line)); err == nil {
				found = found || expr.String() == "unix"
			}
		}
		if !found {
			t.Errorf("%s is built everywhere", name)
		}
	}
}
