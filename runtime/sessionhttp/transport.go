package sessionhttp

import (
	"net/http"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// Transport is an http.RoundTripper that sends the token of the session in a request's
// context along, and takes in the one of the response: what a service has written on behalf
// of the session, which answers through a Handler with the same header. The zero value is
// ready to use. It sends the token to whoever it is used for: meant are services of the same
// application.
type Transport struct {
	// Base makes the requests. Default: http.DefaultTransport.
	Base http.RoundTripper
	// Header is the name of the header. Default: DefaultHeader.
	Header string
}

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	base, name := t.Base, t.Header
	if base == nil {
		base = http.DefaultTransport
	}
	if name == "" {
		name = DefaultHeader
	}
	session := cachert.SessionFrom(r.Context())
	if token := session.Token(); token != "" {
		r = r.Clone(r.Context()) // a RoundTripper does not change its request
		r.Header.Set(name, token)
	}
	response, err := base.RoundTrip(r)
	if err == nil {
		session.Add(response.Header.Get(name))
	}
	return response, err
}
