package redisstore_test

import (
	"context"
	"encoding/binary"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cachegen/cachegen/internal/testserver"
	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/sessionhttp"
	"github.com/cachegen/cachegen/runtime/store"
)

// serveCounter is one process of a web application: GET shows a number, POST adds to it.
func serveCounter(t *testing.T, number *atomic.Int64, st store.Store) (string, *cachert.Cache) {
	t.Helper()
	cache, err := cachert.Open(cachert.Options{Namespace: "web", Store: st, StoreTimeout: 5 * time.Second, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	repo := cache.Repo(cachert.RepoPolicy{Name: "counter"})
	tags := func(t *cachert.Tags) { t.Tag("counter/n") }
	read := cachert.NewReader(repo, cachert.ReadPolicy[int64]{
		Method: "Get", Key: "Get", Schema: "1", TTL: time.Hour,
		Codec: cachert.Codec[int64]{
			Append: func(b []byte, v int64) ([]byte, error) { return binary.AppendVarint(b, v), nil },
			Decode: func(b []byte) (int64, error) { v, _ := binary.Varint(b); return v, nil },
		},
	})
	add := cachert.NewWriter(repo, cachert.WritePolicy{Method: "Add"})
	app := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			if err := add.Do(r.Context(), cachert.Change{Tags: tags, Run: func(context.Context) error { number.Add(1); return nil }}); err != nil {
				t.Error(err)
			}
			return
		}
		n, err := read.Get(r.Context(), cachert.Call[int64]{Tags: tags}, func(context.Context) (int64, error) { return number.Load(), nil })
		if err != nil {
			t.Error(err)
		}
		_, _ = io.WriteString(w, strconv.FormatInt(n, 10))
	})
	srv := httptest.NewServer(sessionhttp.Handler(cache, app, sessionhttp.Options{}))
	t.Cleanup(srv.Close)
	return srv.URL, cache
}

func post(t *testing.T, c *http.Client, url string) {
	t.Helper()
	response, err := c.Post(url, "text/plain", nil)
	if err != nil {
		t.Error(err)
		return
	}
	_ = response.Body.Close()
}

func show(t *testing.T, c *http.Client, url string) string {
	t.Helper()
	response, err := c.Get(url)
	if err != nil {
		t.Error(err)
		return ""
	}
	defer func() { _ = response.Body.Close() }()
	body, _ := io.ReadAll(response.Body)
	return string(body)
}

// warmUp shows the number until it is near.
func warmUp(t *testing.T, cache *cachert.Cache, url string) {
	t.Helper()
	for range 4 {
		show(t, http.DefaultClient, url)
		if err := cache.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// 1. a browser sends a POST to one process
// 2. its next GET is served by another one, which has not been told yet
func TestABrowserReadsItsWriteThroughAnotherProcess(t *testing.T) {
	srv := testserver.Redis(t)
	w := newWire(t, srv.Addr)
	var number atomic.Int64
	slow, cache := serveCounter(t, &number, open(t, w.addr()))
	other, _ := serveCounter(t, &number, open(t, srv.Addr))
	jar, _ := cookiejar.New(nil)
	browser, stranger := &http.Client{Jar: jar}, &http.Client{}
	warmUp(t, cache, slow)
	asked, release := w.hold()
	post(t, browser, other)
	if got := show(t, stranger, slow); got != "0" {
		t.Fatalf("who has no cookie is shown %s, want the old 0: nothing is tested", got)
	}
	shown := make(chan string, 1)
	go func() { shown <- show(t, browser, slow) }()
	var got string
	select {
	case <-asked:
		release()
		got = <-shown
	case got = <-shown:
		release()
	}
	if got != "1" {
		t.Errorf("the browser is shown %s after its write, want 1", got)
	}
}

// 1. a browser sends a POST to a process that has lost the store: the write is committed, and
// what it changes is journalled
// 2. its next GETs are served by another process, for which the old entry is valid
func TestABrowserReadsItsWriteThatCouldNotBeTold(t *testing.T) {
	srv := testserver.Redis(t)
	w := newWire(t, srv.Addr)
	var number atomic.Int64
	lost, _ := serveCounter(t, &number, open(t, w.addr()))
	other, cache := serveCounter(t, &number, open(t, srv.Addr))
	warmUp(t, cache, other)
	w.end()
	jar, _ := cookiejar.New(nil)
	browser := &http.Client{Jar: jar}
	post(t, browser, lost)
	if got := show(t, http.DefaultClient, other); got != "0" {
		t.Fatalf("who has no cookie is shown %s, want the old 0: nothing is tested", got)
	}
	for range 3 {
		if got := show(t, browser, other); got != "1" {
			t.Errorf("the browser is shown %s after its write, want 1", got)
		}
	}
}
