package httpapi

import (
	"net/http"

	bookshop "github.com/cachegen/cachegen/example"
)

func (s *server) book(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	return s.Books.ByID(r.Context(), id)
}

func (s *server) bookByISBN(r *http.Request) (any, error) {
	return s.Books.ByISBN(r.Context(), r.PathValue("isbn"))
}

func (s *server) booksByAuthor(r *http.Request) (any, error) {
	author, err := id(r)
	if err != nil {
		return nil, err
	}
	page, err := page(r)
	if err != nil {
		return nil, err
	}
	total, err := s.Books.CountByAuthor(r.Context(), author)
	if err != nil {
		return nil, err
	}
	books, err := s.Books.ListByAuthor(r.Context(), author, page)
	return struct {
		Total int             `json:"total"`
		Books []bookshop.Book `json:"books"`
	}{total, books}, err
}

func (s *server) search(r *http.Request) (any, error) {
	page, err := page(r)
	if err != nil {
		return nil, err
	}
	return s.Books.Search(r.Context(), r.URL.Query().Get("q"), page.Limit)
}

func (s *server) createBook(r *http.Request) (any, error) {
	b, err := body[bookshop.Book](r)
	if err != nil {
		return nil, err
	}
	return s.Books.Create(r.Context(), b)
}

func (s *server) renameBook(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	title, err := body[string](r)
	if err != nil {
		return nil, err
	}
	return s.Books.Rename(r.Context(), id, title)
}

func (s *server) restock(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	copies, err := body[int](r)
	if err != nil {
		return nil, err
	}
	return s.Books.Restock(r.Context(), id, copies)
}

func (s *server) deleteBook(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	return nil, s.Books.Delete(r.Context(), id)
}

func (s *server) author(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	return s.Authors.ByID(r.Context(), id)
}

func (s *server) createAuthor(r *http.Request) (any, error) {
	a, err := body[bookshop.Author](r)
	if err != nil {
		return nil, err
	}
	return s.Authors.Create(r.Context(), a)
}

func (s *server) renameAuthor(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	name, err := body[string](r)
	if err != nil {
		return nil, err
	}
	return s.Authors.Rename(r.Context(), id, name)
}

func (s *server) deleteAuthor(r *http.Request) (any, error) {
	id, err := id(r)
	if err != nil {
		return nil, err
	}
	return nil, s.Authors.Delete(r.Context(), id)
}
