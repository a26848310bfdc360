// Command mutants breaks the code one rule of the protocol at a time and reports whether the
// tests notice. Arguments are parts of names; without any all mutants of spec/mutants.txt,
// which describes itself, are tried. Run it with make mutants.
package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

const (
	list      = "spec/mutants.txt"
	schedules = "spec/schedules.md"
	timeout   = "60s" // of the tests of one mutant
)

// mutant is one entry of the list.
type mutant struct {
	name     string // of its schedule, and behind a colon what is changed
	file     string
	old, new string
	pkg, run string // what must fail
}

func main() {
	killed, survived, err := try(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
	fmt.Printf("%d killed, %d survived\n", killed, survived)
	if survived > 0 {
		os.Exit(1)
	}
}

func try(parts []string) (killed, survived int, err error) {
	text, err := os.ReadFile(list)
	if err != nil {
		return 0, 0, err
	}
	all, err := parse(string(text))
	if err != nil {
		return 0, 0, err
	}
	if err := complete(all); err != nil {
		return 0, 0, err
	}
	all = slices.DeleteFunc(all, func(m mutant) bool {
		return len(parts) > 0 && !slices.ContainsFunc(parts, func(p string) bool { return strings.Contains(m.name, p) })
	})
	if len(all) == 0 {
		return 0, 0, fmt.Errorf("%s: no mutant matches", list)
	}
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := control(dir, all); err != nil {
		return 0, 0, err
	}
	for _, m := range all {
		verdict, dead := m.verdict(dir)
		fmt.Printf("%s: %s\n", m.name, verdict)
		if dead {
			killed++
		} else {
			survived++
		}
	}
	return killed, survived, nil
}

// parse reads the list.
func parse(text string) ([]mutant, error) {
	var all []mutant
	var minus, plus []string
	end := func() {
		if len(all) > 0 {
			all[len(all)-1].old, all[len(all)-1].new = strings.Join(minus, "\n"), strings.Join(plus, "\n")
		}
		minus, plus = nil, nil
	}
	for i, line := range strings.Split(text, "\n") {
		if line == "" || line[0] == '#' {
			continue
		}
		if name, ok := strings.CutPrefix(line, "== "); ok {
			end()
			all = append(all, mutant{name: name})
			continue
		}
		if len(all) == 0 {
			return nil, fmt.Errorf("%s:%d: want a name first", list, i+1)
		}
		m, fields := &all[len(all)-1], strings.Fields(line)
		switch {
		case line[0] == '-':
			minus = append(minus, line[1:])
		case line[0] == '+':
			plus = append(plus, line[1:])
		case fields[0] == "file" && len(fields) == 2:
			m.file = fields[1]
		case fields[0] == "test" && len(fields) == 3:
			m.pkg, m.run = fields[1], fields[2]
		default:
			return nil, fmt.Errorf("%s:%d: %q is none of ==, file, test, -, +", list, i+1, line)
		}
	}
	end()
	for _, m := range all {
		if m.file == "" || m.pkg == "" || m.old == "" || m.old == m.new {
			return nil, fmt.Errorf("%s: %s: want a file, a test and a change", list, m.name)
		}
	}
	return all, nil
}

var (
	heading  = regexp.MustCompile(`(?m)^## (\S+)$`)
	proposal = regexp.MustCompile(`(?m)^Mutant: `)
)

// complete checks that each schedule for which a mutant is described has one.
func complete(all []mutant) error {
	text, err := os.ReadFile(schedules)
	if err != nil {
		return err
	}
	for _, section := range strings.Split(string(text), "\n## ")[1:] {
		name := heading.FindStringSubmatch("## " + section)
		if name == nil || !proposal.MatchString(section) {
			continue
		}
		if !slices.ContainsFunc(all, func(m mutant) bool { return m.name == name[1] || strings.HasPrefix(m.name, name[1]+":") }) {
			return fmt.Errorf("%s describes a mutant for %s, %s has none", schedules, name[1], list)
		}
	}
	return nil
}

// control runs all tests that are to kill on the code as it is. A pattern that matches nothing
// would let every mutant live.
func control(dir string, all []mutant) error {
	binaries, done := map[string]string{}, map[string]bool{}
	for _, m := range all {
		if done[m.pkg+m.run] {
			continue
		}
		done[m.pkg+m.run] = true
		if binaries[m.pkg] == "" {
			binary := filepath.Join(dir, fmt.Sprintf("control%d", len(binaries)))
			if out, err := build(binary, m.pkg); err != nil {
				return fmt.Errorf("control: %s: %w\n%s", m.pkg, err, out)
			}
			binaries[m.pkg] = binary
		}
		out, err := test(binaries[m.pkg], m, "-test.v")
		if err != nil || !bytes.Contains(out, []byte("\n--- PASS: ")) {
			return fmt.Errorf("control: %s %s does not pass on the code as it is: %v\n%s", m.pkg, m.run, err, out)
		}
	}
	fmt.Printf("control: %d tests pass\n", len(done))
	return nil
}

// verdict tries a mutant; dead is true if the test noticed.
func (m mutant) verdict(dir string) (verdict string, dead bool) {
	source, err := os.ReadFile(m.file)
	if err != nil {
		return err.Error(), false
	}
	if n := strings.Count(string(source), m.old); n != 1 {
		return fmt.Sprintf("stale text: stands %d times in %s", n, m.file), false
	}
	overlay, err := m.overlay(dir, string(source))
	if err != nil {
		return err.Error(), false
	}
	binary := filepath.Join(dir, "mutant.test")
	if out, err := build(binary, m.pkg, "-overlay", overlay); err != nil {
		return "does not compile:\n" + string(out), false
	}
	out, err := test(binary, m)
	killer := failing(string(out))
	switch {
	case err == nil:
		return "SURVIVED " + m.run, false
	case strings.Contains(string(out), "panic: test timed out after "):
		return "killed by the timeout of " + m.run, true
	case killer == "":
		return "SURVIVED, though " + m.run + " ended without a verdict: " + err.Error() + "\n" + string(out), false
	}
	return "killed by " + killer, true
}

// overlay writes the changed source beside the tree and a file that puts it in its place.
func (m mutant) overlay(dir, source string) (string, error) {
	original, err := filepath.Abs(m.file)
	if err != nil {
		return "", err
	}
	changed, overlay := filepath.Join(dir, "changed.go"), filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(changed, []byte(strings.Replace(source, m.old, m.new, 1)), 0o600); err != nil {
		return "", err
	}
	text, err := json.Marshal(map[string]any{"Replace": map[string]string{original: changed}})
	if err != nil {
		return "", err
	}
	return overlay, os.WriteFile(overlay, text, 0o600)
}

func build(binary, pkg string, flags ...string) ([]byte, error) {
	args := append([]string{"test", "-c", "-vet=off", "-o", binary}, flags...)
	return exec.Command("go", append(args, pkg)...).CombinedOutput()
}

// test runs a test binary where go test would.
func test(binary string, m mutant, flags ...string) ([]byte, error) {
	c := exec.Command(binary, append(flags, "-test.run", m.run, "-test.timeout", timeout)...)
	c.Dir = m.pkg
	return c.CombinedOutput()
}

var failed = regexp.MustCompile(`(?m)^ *--- FAIL: (\S+)`)

// failing is the innermost of the tests that failed first.
func failing(out string) string {
	name := ""
	for _, m := range failed.FindAllStringSubmatch(out, -1) {
		if name != "" && !strings.HasPrefix(m[1], name+"/") {
			break
		}
		name = m[1]
	}
	return name
}
