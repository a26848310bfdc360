package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	bookshop "github.com/cachegen/cachegen/example"
	"github.com/cachegen/cachegen/example/loadgen"
	"github.com/cachegen/cachegen/internal/testserver"
)

// onEach runs a test on a new shop without a cache, with one in the process, and with one on
// Redis: nobody may see a difference but in the number of queries.
func onEach(t *testing.T, test func(t *testing.T, c *client, cached bool)) {
	t.Run("off", func(t *testing.T) {
		test(t, startShop(t, "-cache=off", "-seed=50"), false)
	})
	t.Run("memstore", func(t *testing.T) {
		test(t, startShop(t, "-seed=50"), true)
	})
	t.Run("redis", func(t *testing.T) {
		test(t, startShop(t, "-seed=50", "-redis="+testserver.Redis(t).Addr), true)
	})
}

type listing struct {
	Total int
	Books []bookshop.Book
}

func TestBooksAndAuthors(t *testing.T) {
	onEach(t, func(t *testing.T, c *client, _ bool) {
		var author bookshop.Author
		c.do("POST", "/authors", bookshop.Author{Name: "Italo Calvino"}, &author)
		authorPath := fmt.Sprintf("/authors/%d", author.ID)
		var books listing
		if c.get(authorPath+"/books", &books); books.Total != 0 {
			t.Errorf("a new author has %d books", books.Total)
		}
		c.refused(http.StatusNotFound, "GET", "/isbn/9780156453806", nil)

		var book, read bookshop.Book
		c.do("POST", "/books", bookshop.Book{AuthorID: author.ID, ISBN: "9780156453806", Title: "Invisible Cities", Tags: []string{"novel"}}, &book)
		bookPath := fmt.Sprintf("/books/%d", book.ID)
		if c.get("/isbn/9780156453806", &read); read.ID != book.ID {
			t.Error("the ISBN that was unknown is still unknown after the book was created")
		}
		if c.get(authorPath+"/books", &books); books.Total != 1 || len(books.Books) != 1 {
			t.Errorf("the author's list shows %d of %d books, want the new one", len(books.Books), books.Total)
		}

		c.do("PUT", bookPath+"/title", "Le città invisibili", &book)
		for _, path := range []string{bookPath, "/isbn/9780156453806"} {
			if c.get(path, &read); read.Title != "Le città invisibili" || read.Version != 2 {
				t.Errorf("%s after the book was renamed: %q, version %d", path, read.Title, read.Version)
			}
		}
		if c.get(authorPath+"/books", &books); books.Books[0].Title != "Le città invisibili" {
			t.Errorf("the author's list still shows %q", books.Books[0].Title)
		}
		c.do("PUT", authorPath+"/name", "I. Calvino", &author)
		if c.get(authorPath, &author); author.Name != "I. Calvino" {
			t.Errorf("the author is still called %q", author.Name)
		}

		c.do("DELETE", authorPath, nil, nil) // and the books with the author
		for _, path := range []string{authorPath, bookPath, "/isbn/9780156453806"} {
			c.refused(http.StatusNotFound, "GET", path, nil)
		}
		if c.get(authorPath+"/books", &books); books.Total != 0 || len(books.Books) != 0 {
			t.Errorf("a deleted author's list shows %d of %d books", len(books.Books), books.Total)
		}
		var found []bookshop.Book
		if c.get("/search?q=harbour", &found); len(found) == 0 {
			t.Error("the search finds nothing")
		}
		c.do("DELETE", "/books/1", nil, nil)
		c.refused(http.StatusNotFound, "GET", "/books/1", nil)
		if c.get("/authors/1/books", &books); books.Total != 19 || len(books.Books) != 19 {
			t.Errorf("an author of 20 books shows %d of %d after one was deleted", len(books.Books), books.Total)
		}
	})
}

func TestOrders(t *testing.T) {
	onEach(t, func(t *testing.T, c *client, _ bool) {
		c.refused(http.StatusUnauthorized, "GET", "/orders", nil)
		logIn := func(customer int) *client {
			var s bookshop.Session
			c.do("POST", "/sessions", map[string]int{"customer_id": customer}, &s)
			return c.as(s.Token)
		}
		ann, bob := logIn(1), logIn(2)
		var orders []bookshop.Order
		ann.get("/orders", &orders)

		var book bookshop.Book
		c.get("/books/7", &book)
		var order bookshop.Order
		ann.do("POST", "/orders", map[string]int{"book_id": 7, "copies": 10}, &order)
		stock := book.Stock
		if c.get("/books/7", &book); book.Stock != stock-10 {
			t.Errorf("stock after an order of 10: %d, was %d", book.Stock, stock)
		}
		ann.refused(http.StatusConflict, "POST", "/orders", map[string]int{"book_id": 7, "copies": stock})
		ann.refused(http.StatusBadRequest, "POST", "/orders", map[string]int{"book_id": 7, "copies": -5})
		if ann.get("/orders", &orders); len(orders) != 1 || orders[0].ID != order.ID {
			t.Errorf("the customer's orders after the first: %+v", orders)
		}
		if bob.get("/orders", &orders); len(orders) != 0 {
			t.Errorf("another customer sees %+v", orders)
		}

		path := fmt.Sprintf("/orders/%d", order.ID)
		bob.refused(http.StatusNotFound, "GET", path, nil)
		var status bookshop.Status
		ann.get(path+"/status", &status)
		ann.do("POST", path+"/cancel", nil, &order)
		for _, query := range []string{"", "?latest=true"} {
			if ann.get(path+"/status"+query, &status); status != bookshop.StatusCancelled {
				t.Errorf("status%s of a cancelled order: %q", query, status)
			}
		}
		if ann.get("/orders", &orders); orders[0].Status != bookshop.StatusCancelled {
			t.Errorf("the customer's list still shows %q", orders[0].Status)
		}
		if c.get("/books/7", &book); book.Stock != stock {
			t.Errorf("stock after the cancellation: %d, want %d", book.Stock, stock)
		}
		c.refused(http.StatusNotFound, "POST", path+"/ship", nil)

		ann.do("DELETE", "/sessions/current", nil, nil)
		ann.refused(http.StatusUnauthorized, "GET", "/orders", nil)
	})
}

func TestTheCacheSavesQueries(t *testing.T) {
	onEach(t, func(t *testing.T, c *client, cached bool) {
		var book bookshop.Book
		c.do("POST", "/books/7/stock", 1, &book) // written through: not even the first read asks the database
		before := c.queries()
		for range 5 {
			c.get("/books/7", &book)
		}
		if n := c.queries() - before; cached && n != 0 || !cached && n != 5 {
			t.Errorf("5 reads of a book just written made %d queries", n)
		}
		before = c.queries()
		c.fresh("/books/7", &book)
		if n := c.queries() - before; cached && n != 0 {
			t.Errorf("a strict read of a valid entry made %d queries", n)
		}
	})
}

func TestTwoProcesses(t *testing.T) {
	redis, db := testserver.Redis(t).Addr, newFile(t)
	a := startShop(t, "-seed=10", "-redis="+redis, "-db="+db)
	b := startShop(t, "-redis="+redis, "-db="+db)
	var book bookshop.Book
	b.get("/books/1", &book)
	for i := range 100 {
		var written bookshop.Book
		a.do("PUT", "/books/1/title", fmt.Sprintf("Title %d", i), &written)
		if b.fresh("/books/1", &book); book.Version < written.Version {
			t.Fatalf("a strict read in the other process gives version %d, %d was acknowledged", book.Version, written.Version)
		}
		if a.get("/books/1", &book); book.Version < written.Version {
			t.Fatalf("a read in the writer's process gives version %d, %d was acknowledged", book.Version, written.Version)
		}
	}
}

// A browser is served now by one process and now by the other.
func TestABrowserIsServedByTwoProcesses(t *testing.T) {
	redis, db := testserver.Redis(t).Addr, newFile(t)
	shops := []*client{startShop(t, "-seed=10", "-redis="+redis, "-db="+db), startShop(t, "-redis="+redis, "-db="+db)}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range shops {
		s.jar = jar
	}
	for i := range 100 {
		var written, book bookshop.Book
		shops[i%2].do("PUT", "/books/1/title", fmt.Sprintf("Title %d", i), &written)
		for k := range 3 {
			if shops[(i+k+1)%2].get("/books/1", &book); book.Version < written.Version {
				t.Fatalf("version %d is shown, %d was written", book.Version, written.Version)
			}
		}
	}
	if base, err := url.Parse(shops[0].base); err != nil || len(jar.Cookies(base)) != 1 {
		t.Error("the browser was given no cookie")
	}
}

func TestLoad(t *testing.T) {
	for name, flags := range map[string][]string{"off": {"-cache=off"}, "memstore": nil, "redis": {"-redis=" + testserver.Redis(t).Addr}} {
		t.Run(name, func(t *testing.T) {
			c := startShop(t, append(flags, "-load", "-seed=200")...)
			order := loadgen.Order{
				Config: loadgen.Config{Books: 200, Workers: 4, Theta: 0.99, Reads: 0.95, Duration: 500 * time.Millisecond},
				Ledger: filepath.Join(t.TempDir(), "ledger"), Bound: time.Second,
			}
			var ops atomic.Int64
			result, err := loadgen.Drive(t.Context(), c.base, order, &ops)
			if err != nil {
				t.Fatal(err)
			}
			if err := result.Check(); err != nil || ops.Load() != result.Operations() || ops.Load() == 0 {
				t.Errorf("%d operations, %d reported on the way: %v", result.Operations(), ops.Load(), err)
			}
		})
	}
}

func TestFlags(t *testing.T) {
	for _, args := range [][]string{{"-cache=perhaps"}, {"surplus"}, {"-unknown"}} {
		if code := run(t.Context(), args, strings.NewReader(""), io.Discard, io.Discard); code != 2 {
			t.Errorf("bookshop %v ended with %d, want 2", args, code)
		}
	}
}

func TestAManagedShopEndsWithItsInput(t *testing.T) {
	input, parent := io.Pipe()
	out, in := io.Pipe()
	code := make(chan int, 1)
	go func() {
		code <- run(context.Background(), []string{"-managed", "-addr=127.0.0.1:0"}, input, in, io.Discard)
	}()
	if _, err := bufio.NewReader(out).ReadString('\n'); err != nil {
		t.Fatal(err)
	}
	parent.Close()
	if c := <-code; c != 0 {
		t.Errorf("it ended with %d", c)
	}
}
