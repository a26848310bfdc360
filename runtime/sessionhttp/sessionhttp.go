// Package sessionhttp carries a cachert.Session over HTTP: from a browser to whichever process
// serves its next request, and from a service to those that act on its behalf.
//
//	mux.Handle("/", sessionhttp.Handler(cache, app, sessionhttp.Options{}))
//	client := &http.Client{Transport: &sessionhttp.Transport{}}
//
// The token goes out with the header of a response. What a handler writes or reads after it has
// begun to answer is not in it: write to the database first, then to the client.
//
// The token is no secret and is not signed. A made-up one costs whoever sends it round trips
// and loads of the source, and nobody anything else.
package sessionhttp

import (
	"net/http"
	"time"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// DefaultHeader is the header between services.
const DefaultHeader = "Cachegen-Session"

// maxTokens bounds how many tokens one request may bring.
const maxTokens = 4

// Options say how the token travels. The zero value: in a cookie "cachegen-session", Path=/,
// HttpOnly, SameSite=Lax, and Secure where the request came over TLS.
type Options struct {
	// Cookie is the model of the cookie: its name and attributes; Value, MaxAge and Expires are
	// set anew for each response. Nil: the default one or, if Header is set, none.
	Cookie *http.Cookie
	// Header names a header of requests and responses; "": none. See DefaultHeader.
	Header string
}

// Handler returns a handler that calls next with a request whose context carries a Session of
// cache, and sends the session's token with the response's header when it has changed. Where
// the context carries one already, it is that one which learns what the request brings.
func Handler(cache *cachert.Cache, next http.Handler, o Options) http.Handler {
	if cache == nil || next == nil {
		panic("cachegen: sessionhttp: Handler needs a cache and a handler")
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		session := cachert.SessionFrom(r.Context())
		if session == nil {
			session = cache.NewSession("")
			r = r.WithContext(cachert.WithSession(r.Context(), session))
		}
		reply := &writer{ResponseWriter: w}
		if cookie := o.cookie(r); cookie != nil {
			brought := tokens(r.CookiesNamed(cookie.Name))
			add(session, brought)
			reply.before = append(reply.before, func() { setCookie(w, *cookie, session, brought) })
		}
		if o.Header != "" {
			brought := r.Header.Values(o.Header)
			add(session, brought)
			reply.before = append(reply.before, func() { setHeader(w, o.Header, session, brought) })
		}
		// Also when next has written nothing, or panics and somebody outside answers.
		defer reply.begin()
		next.ServeHTTP(reply, r)
	})
}

func (o Options) cookie(r *http.Request) *http.Cookie {
	if o.Cookie == nil && o.Header == "" {
		return &http.Cookie{Name: "cachegen-session", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: r.TLS != nil}
	}
	return o.Cookie
}

func tokens(cookies []*http.Cookie) (out []string) {
	for _, c := range cookies {
		out = append(out, c.Value)
	}
	return out
}

func add(session *cachert.Session, brought []string) {
	for _, token := range brought[:min(len(brought), maxTokens)] {
		session.Add(token)
	}
}

// setCookie tells the client what it does not know yet. A cookie with nothing to say is taken
// back.
func setCookie(w http.ResponseWriter, c http.Cookie, session *cachert.Session, brought []string) {
	token, left := session.Token(), time.Until(session.Until())
	switch {
	case len(brought) == 1 && brought[0] == token, len(brought) == 0 && token == "":
		return
	case token == "":
		c.Value, c.MaxAge = "", -1
	default:
		c.Value, c.MaxAge = token, max(1, int((left+time.Second-1)/time.Second))
	}
	c.Expires = time.Time{}
	http.SetCookie(w, &c)
}

func setHeader(w http.ResponseWriter, name string, session *cachert.Session, brought []string) {
	token := session.Token()
	if token != "" && (len(brought) != 1 || brought[0] != token) {
		w.Header().Set(name, token)
	}
}
