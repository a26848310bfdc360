package testserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// startTimeout bounds how long a server may take until it serves.
const startTimeout = 30 * time.Second

// process is a server program that can be ended and started again with the same arguments
// in the same directory. All methods are safe for concurrent use.
type process struct {
	path string
	args []string
	dir  string // private; removed by Close
	user *syscall.Credential
	// polite is the signal that makes the program end by itself and quickly.
	polite syscall.Signal
	ready  func(context.Context) error // nil error: it serves

	mu      sync.Mutex
	cmd     *exec.Cmd
	exited  chan struct{} // closed when cmd has ended
	stopped bool          // by Stop
}

// start runs the program and returns when it serves.
func (p *process) start() error {
	p.mu.Lock()
	defer p.mu.Unlock()
	logfile, err := os.OpenFile(p.logPath(), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	defer logfile.Close()
	cmd := exec.Command(p.path, p.args...)
	cmd.Dir = p.dir
	cmd.Stdout, cmd.Stderr = logfile, logfile
	cmd.SysProcAttr = p.attributes()
	exited, err := launch(cmd)
	if err != nil {
		return fmt.Errorf("testserver: %w", err)
	}
	p.cmd, p.exited, p.stopped = cmd, exited, false
	if err := p.awaitReady(); err != nil {
		_ = cmd.Process.Kill()
		<-exited
		return err
	}
	return nil
}

// launch starts cmd and reaps it. The thread that starts it lives as long as the program:
// Linux delivers a parent-death signal when the starting THREAD ends.
func launch(cmd *exec.Cmd) (exited chan struct{}, err error) {
	started := make(chan error)
	exited = make(chan struct{})
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		started <- nil
		_ = cmd.Wait() // how it ended is the caller's doing
		close(exited)
	}()
	return exited, <-started
}

func (p *process) awaitReady() error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	err := poll(ctx, func() error {
		select {
		case <-p.exited:
			cancel()
			return errors.New("it ended")
		default:
			return p.ready(ctx)
		}
	})
	if err != nil {
		return fmt.Errorf("testserver: %s did not become ready: %w\n%s", filepath.Base(p.path), err, p.logTail())
	}
	return nil
}

// poll calls f until it returns nil, and returns its last error when ctx ends first.
func poll(ctx context.Context, f func() error) error {
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for {
		err := f()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return err
		case <-tick.C:
		}
	}
}

// PID returns the process id of the server as it runs or last ran.
func (p *process) PID() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cmd.Process.Pid
}

// Kill ends the server at once (SIGKILL) and returns when it is gone.
func (p *process) Kill() error { return p.end(syscall.SIGKILL) }

// Stop freezes the server (SIGSTOP): connections stay open and nothing answers.
func (p *process) Stop() error { return p.freeze(syscall.SIGSTOP, true) }

// Cont lets a stopped server go on (SIGCONT).
func (p *process) Cont() error { return p.freeze(syscall.SIGCONT, false) }

// Restart ends the server if it runs, as an operator would, and starts it again on the same
// port and directory. What it remembers is decided by its own persistence.
func (p *process) Restart() error {
	if err := p.end(p.polite); err != nil {
		return err
	}
	return p.start()
}

// Close ends the server and removes its directory. It is idempotent.
func (p *process) Close() error {
	return errors.Join(p.end(p.polite), os.RemoveAll(p.dir))
}

// end sends sig, and SIGKILL when that did not help within five seconds.
func (p *process) end(sig syscall.Signal) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.gone() {
		return nil
	}
	if p.stopped {
		sig = syscall.SIGKILL // it could not act on anything else
	}
	if err := p.signal(sig); err != nil {
		return err
	}
	late := time.NewTimer(5 * time.Second)
	defer late.Stop()
	select {
	case <-p.exited:
		return nil
	case <-late.C:
	}
	if err := p.signal(syscall.SIGKILL); err != nil {
		return err
	}
	<-p.exited
	return nil
}

func (p *process) freeze(sig syscall.Signal, stopped bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil || p.gone() {
		return fmt.Errorf("testserver: %s does not run", filepath.Base(p.path))
	}
	p.stopped = stopped
	return p.signal(sig)
}

func (p *process) gone() bool {
	select {
	case <-p.exited:
		return true
	default:
		return false
	}
}

func (p *process) signal(sig syscall.Signal) error {
	if err := p.cmd.Process.Signal(sig); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("testserver: %v to %s: %w", sig, filepath.Base(p.path), err)
	}
	return nil
}

func (p *process) logPath() string { return filepath.Join(p.dir, "server.log") }

// logTail is the end of the server's log, for error messages.
func (p *process) logTail() []byte {
	text, _ := os.ReadFile(p.logPath())
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return bytes.Join(lines[max(0, len(lines)-15):], []byte("\n"))
}

// freePort returns a loopback port that nobody listens on at the moment.
func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("testserver: no free port: %w", err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port), nil
}

// startOnFreePort starts what describe says for a port, and with another one when somebody else
// took that between choosing and listening.
func startOnFreePort(describe func(port string) (*process, error)) (*process, error) {
	var failed error
	for range 3 {
		port, err := freePort()
		if err != nil {
			return nil, err
		}
		p, err := describe(port)
		if err != nil {
			return nil, err
		}
		if err = p.start(); err == nil {
			return p, nil
		}
		failed = err
		_ = os.RemoveAll(p.dir)
	}
	return nil, failed
}
