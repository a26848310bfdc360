// Package httpapi is the bookshop's HTTP API: JSON over net/http. It works on repositories
// and does not know whether a cache stands before them. Two places let it say something
// about freshness: a request with "Cache-Control: no-cache" is answered at level strict, and
// a write that the cache refused, because it could not have kept its promise, is a 503.
package httpapi

import (
	"encoding/json"
	"errors"
	"log/slog"
	"net/http"
	"strconv"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/runtime/cachert"
)

type server struct {
	bookshop.Repos
	log *slog.Logger
}

// New returns the API on repos.
func New(repos bookshop.Repos, log *slog.Logger) http.Handler {
	s := &server{repos, log}
	mux := http.NewServeMux()
	for pattern, answer := range map[string]answer{
		"GET /books/{id}":          s.book,
		"GET /isbn/{isbn}":         s.bookByISBN,
		"GET /authors/{id}":        s.author,
		"GET /authors/{id}/books":  s.booksByAuthor,
		"GET /search":              s.search,
		"POST /authors":            s.createAuthor,
		"PUT /authors/{id}/name":   s.renameAuthor,
		"DELETE /authors/{id}":     s.deleteAuthor,
		"POST /books":              s.createBook,
		"PUT /books/{id}/title":    s.renameBook,
		"POST /books/{id}/stock":   s.restock,
		"DELETE /books/{id}":       s.deleteBook,
		"POST /sessions":           s.logIn,
		"DELETE /sessions/current": s.logOut,
		"GET /orders":              s.myOrders,
		"POST /orders":             s.placeOrder,
		"POST /cart":               s.placeCart,
		"GET /orders/{id}":         s.order,
		"GET /orders/{id}/status":  s.orderStatus,
		"POST /orders/{id}/ship":   s.shipOrder,
		"POST /orders/{id}/cancel": s.cancelOrder,
	} {
		mux.Handle(pattern, s.handler(answer))
	}
	return mux
}

// answer is the value to send as JSON, or an error; nil is "no content".
type answer func(r *http.Request) (any, error)

func (s *server) handler(answer answer) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Cache-Control") == "no-cache" {
			r = r.WithContext(cachert.Fresh(r.Context()))
		}
		value, err := answer(r)
		switch {
		case err != nil:
			s.refuse(w, r, err)
		case value == nil:
			w.WriteHeader(http.StatusNoContent)
		default:
			w.Header().Set("Content-Type", "application/json")
			if err := json.NewEncoder(w).Encode(value); err != nil {
				s.log.Debug("the client went away", "path", r.URL.Path, "err", err)
			}
		}
	})
}

var (
	errBadRequest = errors.New("bad request")
	errLogIn      = errors.New("log in first")
)

// refuse answers with the status that fits err.
func (s *server) refuse(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, errBadRequest):
		status = http.StatusBadRequest
	case errors.Is(err, errLogIn):
		status = http.StatusUnauthorized
	case errors.Is(err, bookshop.ErrNotFound):
		status = http.StatusNotFound
	case errors.Is(err, bookshop.ErrOutOfStock):
		status = http.StatusConflict
	case errors.Is(err, cachert.ErrRefused):
		status = http.StatusServiceUnavailable
	default:
		s.log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
		err = errors.New("internal error") // the details are not the client's business
	}
	http.Error(w, err.Error(), status)
}

// id is the {id} of the path.
func id(r *http.Request) (int64, error) {
	n, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil {
		return 0, errBadRequest
	}
	return n, nil
}

// page reads ?offset= and ?limit=, by default the first 20.
func page(r *http.Request) (bookshop.Page, error) {
	p := bookshop.Page{Limit: 20}
	for name, field := range map[string]*int{"offset": &p.Offset, "limit": &p.Limit} {
		text := r.URL.Query().Get(name)
		if text == "" {
			continue
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 || n > 1000 {
			return p, errBadRequest
		}
		*field = n
	}
	return p, nil
}

// body reads the request's JSON.
func body[T any](r *http.Request) (T, error) {
	var v T
	decoder := json.NewDecoder(http.MaxBytesReader(nil, r.Body, 1<<20))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&v); err != nil {
		return v, errBadRequest
	}
	return v, nil
}
