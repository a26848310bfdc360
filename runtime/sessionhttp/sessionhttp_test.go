package sessionhttp_test

import (
	"context"
	"errors"
	"io"
	"log"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/http/httptrace"
	"net/textproto"
	"strings"
	"testing"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
	"github.com/cachegen/cachegen/runtime/sessionhttp"
)

func open(t *testing.T) *cachert.Cache {
	t.Helper()
	cache, err := cachert.Open(cachert.Options{Namespace: "test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cache.Close() })
	return cache
}

// change is what a handler does that changes something.
func change(ctx context.Context, cache *cachert.Cache, what string) {
	if err := cache.Invalidate(ctx, func(t *cachert.Tags) { t.Tag("rows/row").Str(what) }); err != nil {
		panic(err)
	}
}

func serve(t *testing.T, cache *cachert.Cache, o sessionhttp.Options, h http.HandlerFunc) *httptest.Server {
	t.Helper()
	inner := sessionhttp.Handler(cache, h, o)
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer func() {
			if e := recover(); e != nil && e != http.ErrAbortHandler {
				w.WriteHeader(http.StatusInternalServerError)
			}
		}()
		inner.ServeHTTP(w, r)
	}))
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.Start()
	t.Cleanup(srv.Close)
	return srv
}

// Each handler changes a row and then answers in its own way; the token always goes out, once.
func TestTokenGoesOutWithTheHeader(t *testing.T) {
	cache := open(t)
	for name, tt := range map[string]struct {
		answer func(w http.ResponseWriter)
		status int
		body   string
	}{
		"WriteHeader":       {func(w http.ResponseWriter) { w.WriteHeader(http.StatusCreated); _, _ = w.Write([]byte("b")) }, 201, "b"},
		"Write":             {func(w http.ResponseWriter) { _, _ = w.Write([]byte("body")) }, 200, "body"},
		"WriteString":       {func(w http.ResponseWriter) { _, _ = io.WriteString(w, "body") }, 200, "body"},
		"ReadFrom":          {func(w http.ResponseWriter) { _, _ = w.(io.ReaderFrom).ReadFrom(strings.NewReader("body")) }, 200, "body"},
		"io.Copy":           {func(w http.ResponseWriter) { _, _ = io.Copy(w, io.LimitReader(strings.NewReader("body"), 3)) }, 200, "bod"},
		"Flush":             {func(w http.ResponseWriter) { w.(http.Flusher).Flush() }, 200, ""},
		"controller, flush": {func(w http.ResponseWriter) { must(http.NewResponseController(w).Flush()) }, 200, ""},
		"nothing":           {func(http.ResponseWriter) {}, 200, ""},
		"panic":             {func(http.ResponseWriter) { panic("no") }, 500, ""},
		"error":             {func(w http.ResponseWriter) { http.Error(w, "no", http.StatusTeapot) }, 418, "no\n"},
		"deadline": {func(w http.ResponseWriter) {
			must(http.NewResponseController(w).SetWriteDeadline(time.Now().Add(time.Hour)))
			_, _ = w.Write([]byte("x"))
		}, 200, "x"},
		"push": {func(w http.ResponseWriter) {
			if err := w.(http.Pusher).Push("/", nil); !errors.Is(err, http.ErrNotSupported) {
				panic(err)
			}
		}, 200, ""},
	} {
		t.Run(name, func(t *testing.T) {
			srv := serve(t, cache, sessionhttp.Options{}, func(w http.ResponseWriter, r *http.Request) {
				change(r.Context(), cache, name)
				tt.answer(w)
			})
			response, err := http.Get(srv.URL)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = response.Body.Close() }()
			body, _ := io.ReadAll(response.Body)
			if response.StatusCode != tt.status || string(body) != tt.body {
				t.Errorf("%d %q, want %d %q", response.StatusCode, body, tt.status, tt.body)
			}
			cookies := response.Cookies()
			if len(cookies) != 1 {
				t.Fatalf("%d cookies, want 1", len(cookies))
			}
			c := cookies[0]
			if c.Name != "cachegen-session" || c.Path != "/" || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Secure {
				t.Errorf("cookie %v", c)
			}
			if c.MaxAge < 30 || c.MaxAge > 32 || cache.NewSession(c.Value).Token() != c.Value {
				t.Errorf("cookie %v", c)
			}
		})
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

// An informational header is not the one: what is written after it is in the token.
func TestInformationalHeaders(t *testing.T) {
	cache := open(t)
	srv := serve(t, cache, sessionhttp.Options{}, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Link", "</style.css>; rel=preload")
		w.WriteHeader(http.StatusEarlyHints)
		change(r.Context(), cache, "x")
		w.WriteHeader(http.StatusNoContent)
	})
	early := http.Header{}
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		Got1xxResponse: func(_ int, h textproto.MIMEHeader) error { early = http.Header(h); return nil },
	})
	request, _ := http.NewRequestWithContext(ctx, http.MethodGet, srv.URL, nil)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if early.Get("Link") == "" || early.Get("Set-Cookie") != "" {
		t.Errorf("early hints: %v", early)
	}
	if len(response.Cookies()) != 1 || response.StatusCode != http.StatusNoContent {
		t.Errorf("%s with cookies %v", response.Status, response.Cookies())
	}
}

func TestHijack(t *testing.T) {
	srv := serve(t, open(t), sessionhttp.Options{}, func(w http.ResponseWriter, _ *http.Request) {
		conn, _, err := w.(http.Hijacker).Hijack()
		must(err)
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi")
		_ = conn.Close()
	})
	response, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if body, _ := io.ReadAll(response.Body); string(body) != "hi" {
		t.Errorf("%q", body)
	}
}

// What the client knows already is not sent again; what is worth nothing is taken back.
func TestOnlyChangesAreSent(t *testing.T) {
	cache := open(t)
	srv := serve(t, cache, sessionhttp.Options{}, func(w http.ResponseWriter, r *http.Request) {
		if what := r.URL.Query().Get("change"); what != "" {
			change(r.Context(), cache, what)
		}
	})
	jar, _ := cookiejar.New(nil)
	client := &http.Client{Jar: jar}
	get := func(path string, wantCookies int) []*http.Cookie {
		t.Helper()
		response, err := client.Get(srv.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = response.Body.Close()
		if got := response.Cookies(); len(got) != wantCookies {
			t.Errorf("%s: cookies %v, want %d", path, got, wantCookies)
		}
		return response.Cookies()
	}
	get("/", 0)
	one := get("/?change=a", 1)
	get("/", 0)
	if two := get("/?change=b", 1); len(two[0].Value) <= len(one[0].Value) {
		t.Error("the second change has replaced the first")
	}
	request, _ := http.NewRequest(http.MethodGet, srv.URL, nil)
	request.AddCookie(&http.Cookie{Name: "cachegen-session", Value: "rubbish"})
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if c := response.Cookies(); len(c) != 1 || c[0].MaxAge >= 0 {
		t.Errorf("rubbish was answered with %v", c)
	}
	if n := cache.Stats().TokensIgnored; n != 1 {
		t.Errorf("%d tokens ignored, want 1", n)
	}
}

func TestOwnCookie(t *testing.T) {
	cache := open(t)
	srv := serve(t, cache, sessionhttp.Options{
		Cookie: &http.Cookie{Name: "s", Path: "/shop", Secure: true, SameSite: http.SameSiteStrictMode, Value: "x", MaxAge: 7},
		Header: "X-S",
	}, func(_ http.ResponseWriter, r *http.Request) { change(r.Context(), cache, "a") })
	response, err := http.Get(srv.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	c := response.Cookies()
	if len(c) != 1 || c[0].Name != "s" || c[0].Path != "/shop" || !c[0].Secure || c[0].SameSite != http.SameSiteStrictMode || c[0].MaxAge < 30 {
		t.Fatalf("cookies %v", c)
	}
	if got := response.Header.Get("X-S"); got != c[0].Value || got == "" {
		t.Errorf("header %q, cookie %q", got, c[0].Value)
	}
}

// 1. a browser asks the front service, which has the back service change something
// 2. the answer of the back service says so to the front service, whose answer says so to the browser
func TestTransportCarriesTheSessionBothWays(t *testing.T) {
	cache := open(t)
	var brought string
	back := serve(t, cache, sessionhttp.Options{Header: sessionhttp.DefaultHeader}, func(_ http.ResponseWriter, r *http.Request) {
		brought = cachert.SessionFrom(r.Context()).Token()
		change(r.Context(), cache, "back")
	})
	client := &http.Client{Transport: &sessionhttp.Transport{}}
	var between string
	front := serve(t, cache, sessionhttp.Options{}, func(_ http.ResponseWriter, r *http.Request) {
		change(r.Context(), cache, "front")
		between = cachert.SessionFrom(r.Context()).Token()
		request, err := http.NewRequestWithContext(r.Context(), http.MethodPost, back.URL, nil)
		must(err)
		response, err := client.Do(request)
		must(err)
		_ = response.Body.Close()
		if request.Header.Get(sessionhttp.DefaultHeader) != "" {
			panic("the caller's request was changed")
		}
	})
	response, err := http.Get(front.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK || brought == "" || brought != between {
		t.Fatalf("%s; the back service was told %q, want %q", response.Status, brought, between)
	}
	c := response.Cookies()
	if len(c) != 1 || len(c[0].Value) <= len(between) {
		t.Errorf("the browser is told %v, want more than %q", c, between)
	}
	// Without a session nothing is sent.
	if response, err = client.Get(back.URL); err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if brought != "" {
		t.Errorf("%q was sent without a session", brought)
	}
}
