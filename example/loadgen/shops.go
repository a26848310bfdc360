package loadgen

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"

	bookshop "github.com/cachegen/cachegen/example"
)

// Repo drives a repository of this process: what is measured is the repository, and nothing
// in front of it.
type Repo struct{ Books bookshop.BookRepo }

// Read reads one book.
func (r Repo) Read(ctx context.Context, book int64) (int64, error) {
	b, err := r.Books.ByID(ctx, book)
	if err != nil {
		return 0, err
	}
	return b.Version, nil
}

// Update adds a copy to the stock of one book.
func (r Repo) Update(ctx context.Context, book int64) (int64, error) {
	b, err := r.Books.Restock(ctx, book, 1)
	if err != nil {
		return 0, err
	}
	return b.Version, nil
}

// API drives the HTTP API at Base.
type API struct {
	Client *http.Client
	Base   string
}

// Read reads one book.
func (a API) Read(ctx context.Context, book int64) (int64, error) {
	return a.call(ctx, http.MethodGet, fmt.Sprintf("%s/books/%d", a.Base, book), nil)
}

// Update adds a copy to the stock of one book.
func (a API) Update(ctx context.Context, book int64) (int64, error) {
	return a.call(ctx, http.MethodPost, fmt.Sprintf("%s/books/%d/stock", a.Base, book), strings.NewReader("1"))
}

func (a API) call(ctx context.Context, method, url string, body io.Reader) (int64, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, body)
	if err != nil {
		return 0, err
	}
	response, err := a.Client.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, err
	}
	if response.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("loadgen: %s %s: %s: %s", method, url, response.Status, text)
	}
	var b bookshop.Book
	err = json.Unmarshal(text, &b)
	return b.Version, err
}
