package databases

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

// childRole and childConfig tell a process of this program that it is a child of a test.
const (
	childRole   = "CACHEGEN_TEST_ROLE"
	childConfig = "CACHEGEN_TEST_CONFIG"
)

// child is main of a child. It ends when the test closes its standard input, or when it has
// killed itself.
func child(role string) {
	fail := func(err error) {
		fmt.Fprintln(os.Stderr, role+":", err)
		os.Exit(1)
	}
	var c config
	if err := json.Unmarshal([]byte(os.Getenv(childConfig)), &c); err != nil {
		fail(err)
	}
	k, err := c.open(func(step string) {
		if step == c.KillAt {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	})
	if err != nil {
		fail(err)
	}
	fmt.Println("ready")
	switch role {
	case "writer":
		if err := k.change(context.Background()); err != nil {
			fail(err)
		}
		fmt.Println("written")
	case "relay":
		go func() { fail(k.box.Run(context.Background(), k.cache)) }()
	}
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// process is a running child.
type process struct {
	t     *testing.T
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

// start runs a child and returns when it is ready. It ends with the test.
func start(t *testing.T, role string, c config) *process {
	t.Helper()
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	p := &process{t: t, cmd: exec.Command(os.Args[0])}
	p.cmd.Env = append(os.Environ(), childRole+"="+role, childConfig+"="+string(text),
		"GORACE=atexit_sleep_ms=0") // an exit takes a second otherwise
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin, p.lines = stdin, bufio.NewScanner(stdout)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.end)
	if !p.lines.Scan() || p.lines.Text() != "ready" {
		t.Fatalf("%s: %q", role, p.lines.Text())
	}
	return p
}

// end asks the child to end and waits until it has.
func (p *process) end() {
	_ = p.stdin.Close()
	timer := time.AfterFunc(10*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	for p.lines.Scan() {
	}
	_ = p.cmd.Wait()
}

// dies waits until the child has killed itself.
func (p *process) dies() {
	p.t.Helper()
	for p.lines.Scan() {
		p.t.Errorf("a child that should have died says %q", p.lines.Text())
		_ = p.stdin.Close()
	}
	_ = p.cmd.Wait()
	status, ok := p.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if !ok || !status.Signaled() || status.Signal() != syscall.SIGKILL {
		p.t.Fatalf("%v, want a process killed by itself", p.cmd.ProcessState)
	}
}
