package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/example/loadgen"
)

// client talks to a bookshop.
type client struct {
	t     *testing.T
	base  string
	token string
	jar   http.CookieJar // nil: cookies are not kept
}

// startShop runs the program with flags until the test ends, and checks that it ends well.
func startShop(t *testing.T, flags ...string) *client {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	out, in := io.Pipe()
	var log bytes.Buffer
	code := make(chan int, 1)
	go func() {
		code <- run(ctx, append([]string{"-addr=127.0.0.1:0"}, flags...), strings.NewReader(""), in, &log)
		in.Close()
	}()
	t.Cleanup(func() {
		cancel()
		if c := <-code; c != 0 {
			t.Errorf("bookshop ended with %d:\n%s", c, &log)
		}
	})
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal("the bookshop does not serve")
	}
	return &client{t: t, base: strings.TrimSpace(strings.TrimPrefix(line, "bookshop serves "))}
}

// newFile is the address of a new SQLite database.
func newFile(t *testing.T) string { return filepath.Join(t.TempDir(), "shop.db") }

// as returns a client of the same shop with somebody's token.
func (c *client) as(token string) *client { return &client{c.t, c.base, token, c.jar} }

// fresh reads path at level strict into answer.
func (c *client) fresh(path string, answer any) {
	c.t.Helper()
	c.send(http.MethodGet, path, http.Header{"Cache-Control": {"no-cache"}}, nil, http.StatusOK, answer)
}

func (c *client) get(path string, answer any) {
	c.t.Helper()
	c.send(http.MethodGet, path, nil, nil, http.StatusOK, answer)
}

func (c *client) do(method, path string, body, answer any) {
	c.t.Helper()
	want := http.StatusOK
	if answer == nil {
		want = http.StatusNoContent
	}
	c.send(method, path, nil, body, want, answer)
}

// refused checks that a request gets this status.
func (c *client) refused(status int, method, path string, body any) {
	c.t.Helper()
	c.send(method, path, nil, body, status, nil)
}

func (c *client) send(method, path string, header http.Header, body any, want int, answer any) {
	c.t.Helper()
	text, err := json.Marshal(body)
	if err != nil {
		c.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(c.t.Context(), method, c.base+path, bytes.NewReader(text))
	if err != nil {
		c.t.Fatal(err)
	}
	if header != nil {
		request.Header = header
	}
	if c.token != "" {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := (&http.Client{Jar: c.jar}).Do(request)
	if err != nil {
		c.t.Fatal(err)
	}
	defer response.Body.Close()
	got, err := io.ReadAll(response.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	if response.StatusCode != want {
		c.t.Fatalf("%s %s: %s, want %d\n%s", method, path, response.Status, want, got)
	}
	if answer == nil {
		return
	}
	if err := json.Unmarshal(got, answer); err != nil {
		c.t.Fatalf("%s %s: %v\n%s", method, path, err, got)
	}
}

// queries is the number of statements sent to the database so far.
func (c *client) queries() int64 {
	c.t.Helper()
	stats, err := loadgen.ReadStats(c.t.Context(), c.base)
	if err != nil {
		c.t.Fatal(err)
	}
	return stats.Queries
}
