package redisstore_test

import (
	"bytes"
	"net"
	"sync"
	"testing"
	"time"
)

// wire stands between a client and a server and can hold back what the server says, pushes
// and replies alike, as a network or a busy machine does.
type wire struct {
	net.Listener

	mu     sync.Mutex
	server string        // where new connections go
	delay  time.Duration // of everything the server says
	conns  []net.Conn
	held   chan struct{} // closed when what is held may go on; nil: nothing is held
	asked  chan struct{} // closed when a client asks for a key, or sends a heartbeat, meanwhile
}

func newWire(t *testing.T, server string) *wire {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &wire{Listener: l, server: server}
	go w.serve()
	t.Cleanup(func() { _ = l.Close() })
	return w
}

func (w *wire) addr() string { return w.Addr().String() }

// move makes new connections lead to another server, as a name does that follows the primary.
func (w *wire) move(server string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.server = server
}

// cut ends all connections, and what is held is lost.
func (w *wire) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.conns {
		_ = c.Close()
	}
	w.conns = nil
}

// slow makes all that the server says take so much longer.
func (w *wire) slow(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.delay = d
}

func (w *wire) target() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.server
}

// hold keeps back everything that the server says from now on, until release is called. asked
// is closed when a client wants to know something before that.
func (w *wire) hold() (asked <-chan struct{}, release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	held := make(chan struct{})
	w.held, w.asked = held, make(chan struct{})
	return w.asked, func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.held, w.asked = nil, nil
		close(held)
	}
}

// end is cut, and lets nobody in any more.
func (w *wire) end() {
	_ = w.Close()
	w.cut()
}

func (w *wire) serve() {
	for {
		client, err := w.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp", w.target())
		if err != nil {
			_ = client.Close()
			continue
		}
		w.mu.Lock()
		w.conns = append(w.conns, client, server)
		w.mu.Unlock()
		go pass(server, client, w.watch)
		go pass(client, server, w.wait)
	}
}

// pass copies from one side to the other until either ends, and calls before with all that
// it is about to hand on.
func pass(to, from net.Conn, before func([]byte)) {
	defer func() {
		_ = to.Close()
		_ = from.Close()
	}()
	buffer := make([]byte, 64<<10)
	for {
		n, err := from.Read(buffer)
		before(buffer[:n])
		if _, werr := to.Write(buffer[:n]); werr != nil || err != nil {
			return
		}
	}
}

func (w *wire) watch(sent []byte) {
	if !bytes.Contains(sent, []byte("\r\nGETRANGE\r\n")) && !bytes.Contains(sent, []byte("\r\ncachegen\r\n")) {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.asked != nil {
		close(w.asked)
		w.asked = nil
	}
}

func (w *wire) wait([]byte) {
	w.mu.Lock()
	held, delay := w.held, w.delay
	w.mu.Unlock()
	if held != nil {
		<-held
	}
	time.Sleep(delay)
}
