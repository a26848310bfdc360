package main

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"time"
)

// build compiles the bookshop into dir.
func build(ctx context.Context, dir string) (program string, err error) {
	program = filepath.Join(dir, "bookshop")
	if runtime.GOOS == "windows" {
		program += ".exe"
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", program, "github.com/cachegen/cachegen/example/cmd/bookshop")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build: %w\n%s", err, out)
	}
	return program, nil
}

// process is a running bookshop.
type process struct {
	base  string // http://host:port
	cmd   *exec.Cmd
	stdin io.Closer // the bookshop ends when it is closed, so also when we die
	log   bytes.Buffer
}

// start returns when the bookshop serves. When ctx ends, so does the bookshop.
func start(ctx context.Context, program string, flags ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, program, flags...)}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(syscall.SIGTERM) }
	p.cmd.WaitDelay = 8 * time.Second // then it is killed
	p.cmd.Stderr = &p.log
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	p.stdin = stdin
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, err
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the bookshop did not start: %w", p.stop())
	}
	p.base = strings.TrimSpace(strings.TrimPrefix(line, "bookshop serves "))
	return p, nil
}

// stop asks the bookshop to end and waits for it.
func (p *process) stop() error {
	_ = p.stdin.Close() // it may be gone already
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%w\n%s", err, p.log.Bytes())
	}
	return nil
}
