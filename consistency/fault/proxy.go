// Package fault does to the servers of a run what happens to servers.
package fault

import (
	"io"
	"net"
	"sync"
	"time"
)

// Proxy stands between one process and a server, and can fall silent: connections stay open and
// nothing comes through. All methods are safe for concurrent use.
type Proxy struct {
	listener net.Listener
	target   string

	mu    sync.Mutex
	conns map[net.Conn]bool // guarded by mu
	open  chan struct{}     // closed while bytes pass; guarded by mu
	ended bool              // guarded by mu
}

// NewProxy starts one.
func NewProxy(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{listener: l, target: target, conns: map[net.Conn]bool{}, open: make(chan struct{})}
	close(p.open)
	go p.serve()
	return p, nil
}

// Addr is where it listens.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

func (p *Proxy) serve() {
	for {
		here, err := p.listener.Accept()
		if err != nil {
			return
		}
		there, err := net.Dial("tcp", p.target)
		if err != nil {
			_ = here.Close()
			continue
		}
		p.mu.Lock()
		p.conns[here], p.conns[there] = true, true
		ended := p.ended
		p.mu.Unlock()
		go p.pass(here, there)
		go p.pass(there, here)
		if ended {
			_ = p.Close()
		}
	}
}

// pass copies one direction until an end is closed. What was read before a silence comes through
// after it.
func (p *Proxy) pass(from, to net.Conn) {
	buf := make([]byte, 32<<10)
	for {
		n, err := from.Read(buf)
		<-p.passing()
		if n > 0 {
			if _, werr := to.Write(buf[:n]); werr != nil {
				err = werr
			}
		}
		if err != nil {
			break
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range []net.Conn{from, to} {
		_ = c.Close()
		delete(p.conns, c)
	}
}

func (p *Proxy) passing() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.open
}

// Silence lets nothing through for a time. With cut, what was on its way is lost with the
// connections; without, it arrives late.
func (p *Proxy) Silence(d time.Duration, cut bool) {
	p.mu.Lock()
	p.open = make(chan struct{})
	open := p.open
	p.mu.Unlock()
	time.Sleep(d)
	if cut {
		p.cut()
	}
	close(open)
}

func (p *Proxy) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// Close ends it and all connections.
func (p *Proxy) Close() error {
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	err := p.listener.Close()
	p.cut()
	return err
}

var _ io.Closer = (*Proxy)(nil)
