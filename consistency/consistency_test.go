package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/consistency/layer"
	"github.com/cachegen/cachegen/consistency/suite"
)

// calls is how many strict calls the test has judged.
const calls = 1_000_000

// TestConsistency checks the layer at each level and finds every layer out that is known to be
// broken. The judge runs under the race detector if the test does; the processes that make the
// calls are built without it, because they are to be many and fast.
func TestConsistency(t *testing.T) {
	n := uint64(calls)
	if testing.Short() {
		n = 50_000
	}
	o := suite.Options{Seed: 1, Program: build(t), Every: 100 * time.Millisecond, Until: 10}
	// Both at the same time: in the second one most of the time is waiting for faults to pass.
	t.Run("Strict", func(t *testing.T) {
		t.Parallel()
		check(t, suite.Run{Layer: "cachegen", Level: "strict", Faults: "within", Database: "postgres", Calls: n}, o)
	})
	t.Run("Short", func(t *testing.T) {
		t.Parallel()
		for _, r := range []suite.Run{
			{Layer: "cachegen", Level: "leased", Faults: "within", Database: "postgres"},
			{Layer: "cachegen", Level: "session", Faults: "within", Database: "postgres"},
			{Layer: "cachegen, onerror=fail", Level: "session", Faults: "within", Database: "postgres"},
			{Layer: "cachegen", Level: "bounded", Faults: "within", Database: "postgres"},
			{Layer: "cachegen", Level: "eventual", Faults: "within", Database: "postgres"},
			{Layer: "cachegen", Level: "strict", Faults: "within", Database: "sqlite"},
			{Layer: "cachegen", Level: "strict", Faults: "outside", Database: "postgres"},
		} {
			r.Calls = 20_000
			t.Run(r.String(), func(t *testing.T) { check(t, r, o) })
		}
		for _, k := range layer.Kinds {
			if k.Broken {
				r := suite.Run{Layer: k.Name, Level: k.Level, Faults: k.Faults, Database: "postgres", Calls: 200_000}
				t.Run(k.Name, func(t *testing.T) { check(t, r, o) })
			}
		}
	})
}

func check(t *testing.T, r suite.Run, o suite.Options) {
	o.Keep, o.Out = t.TempDir(), t.Output()
	clean, err := suite.Check(t.Context(), []suite.Run{r}, o)
	if err != nil {
		t.Fatal(err)
	}
	if !clean {
		t.Error("not as it should be, see above")
	}
}

// build makes the program that the checker's processes run.
func build(t *testing.T) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "consistency")
	if out, err := exec.Command("go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

func TestListNamesEveryRun(t *testing.T) {
	var out, errs strings.Builder
	if code := run([]string{"-list", "-calls", "1000000"}, &out, &errs); code != 0 {
		t.Fatalf("exit code %d: %s", code, errs.String())
	}
	for l := range strings.FieldsSeq("strict leased session bounded eventual") {
		if !strings.Contains(out.String(), "  "+l+" ") {
			t.Errorf("level %s is in no run:\n%s", l, out.String())
		}
	}
	for _, k := range layer.Kinds {
		if !strings.Contains(out.String(), "\n"+k.Name+"  ") {
			t.Errorf("%s is in no run:\n%s", k.Name, out.String())
		}
	}
}

func TestUnknownLayersAndLevelsAreErrors(t *testing.T) {
	for _, args := range [][]string{
		{"-layer", "none"}, {"-layer", "cachegen", "-level", "exact"}, {"-layer", "cachegen", "-database", "paper"}, {"-nonsense"},
	} {
		var out, errs strings.Builder
		if code := run(args, &out, &errs); code != 2 || errs.Len() == 0 {
			t.Errorf("%v: exit code %d, %q", args, code, errs.String())
		}
	}
}
