package sqlstore

import (
	"context"
	"fmt"
	"strings"
	"time"
)

const (
	booksPerAuthor = 20
	rowsPerInsert  = 400 // times 12 columns: well below the parameters a statement may have
)

// Seed fills an empty shop with books 1 to n and their authors, and returns the number of
// books. A shop that has books already stays as it is.
func (db *DB) Seed(ctx context.Context, n int) (int, error) {
	var have int
	if err := get(ctx, db.reader(ctx), &have, "SELECT count(*) FROM books"); err != nil || have > 0 {
		return have, err
	}
	err := db.atomically(ctx, func(ctx context.Context) error {
		tx := db.writer(ctx)
		authors := (n + booksPerAuthor - 1) / booksPerAuthor
		if err := insert(ctx, tx, "authors (name, bio)", authors, seedAuthor); err != nil {
			return err
		}
		return insert(ctx, tx, "books (author_id, isbn, title, summary, tags, pages, price_cents, stock, "+
			"published_at, discontinued_at, updated_at, version)", n, seedBook)
	})
	if err != nil {
		return 0, fmt.Errorf("sqlstore: seed: %w", err)
	}
	return n, nil
}

// insert adds rows 1 to n, many to a statement.
func insert(ctx context.Context, q querier, into string, n int, row func(i int) []any) error {
	for first := 1; first <= n; first += rowsPerInsert {
		var tuples []string
		var args []any
		for i := first; i < first+rowsPerInsert && i <= n; i++ {
			columns := row(i)
			tuples = append(tuples, "(?"+strings.Repeat(", ?", len(columns)-1)+")")
			args = append(args, columns...)
		}
		if _, err := exec(ctx, q, "INSERT INTO "+into+" VALUES "+strings.Join(tuples, ", "), args...); err != nil {
			return err
		}
	}
	return nil
}

func seedAuthor(i int) []any {
	name := pick(i, "Ada", "Bela", "Chinua", "Doris", "Emeka", "Fatima", "Gabriel") + " " +
		pick(i/7, "Abara", "Brandt", "Castellanos", "Dufour", "Eriksen", "Fontane", "Grimaldi", "Haddad")
	return []any{name, "Writes about " + pick(i, "the sea", "cities", "machines", "old friends", "the stars") + "."}
}

func seedBook(i int) []any {
	title := "The " + pick(i, "Quiet", "Last", "Hidden", "Burning", "Second", "Paper", "Glass") + " " +
		pick(i/7, "River", "Garden", "Engine", "Winter", "Letter", "Orchard", "Harbour", "Archive") + fmt.Sprintf(" %d", i)
	summary := strings.Repeat("A story of "+pick(i, "loss", "luck", "a long journey", "two sisters")+". ", 6)
	published := time.Date(1950+i%70, time.Month(1+i%12), 1+i%28, 0, 0, 0, 0, time.UTC)
	var discontinued *time.Time
	if i%10 == 0 {
		end := published.AddDate(5, 0, 0)
		discontinued = &end
	}
	return []any{
		1 + (i-1)/booksPerAuthor, ISBN(i), title, summary,
		tagList{pick(i, "novel", "essay", "poetry"), pick(i/3, "hardcover", "paperback")},
		120 + i%600, 500 + i%4000, 1000, published, discontinued, now(), 1,
	}
}

// ISBN is the number of the i-th seeded book, with its check digit.
func ISBN(i int) string {
	digits := fmt.Sprintf("979%09d", i)
	sum := 0
	for at, d := range digits {
		sum += int(d-'0') * (1 + 2*(at%2))
	}
	return digits + string(rune('0'+(10-sum%10)%10))
}

func pick(i int, of ...string) string { return of[i%len(of)] }
