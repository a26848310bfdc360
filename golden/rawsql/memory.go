package rawsql

import (
	"context"
	"fmt"

	"github.com/cachegen/cachegen/golden/internal/memdb"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// Database has a table of pages and one of comments.
type Database struct {
	memdb.Calls
	pages    memdb.Table[string, string]
	comments memdb.Table[string, int]
}

// ExecPages is raw SQL: UPDATE pages SET text = ?
func (db *Database) ExecPages(text string) {
	for _, row := range []string{"main/1", "main/2"} {
		db.pages.Put(row, text)
	}
}

// TruncateComments is what a test does before it begins.
func (db *Database) TruncateComments() { db.comments = memdb.Table[string, int]{} }

// Pages is the repository of pages.
type Pages struct{ *Database }

func (p Pages) Text(_ context.Context, space string, id int64) (string, error) {
	p.Called("Text")
	text, _ := p.pages.Get(fmt.Sprintf("%s/%d", space, id))
	return text, nil
}

func (p Pages) Write(_ context.Context, space string, id int64, text string) error {
	p.pages.Put(fmt.Sprintf("%s/%d", space, id), text)
	return nil
}

// Comments is the repository of comments.
type Comments struct{ *Database }

func commentKey(ctx context.Context, id int64) string {
	tenant, _ := cachert.TenantFromContext(ctx)
	return fmt.Sprintf("%s/%d", tenant, id)
}

func (c Comments) Count(ctx context.Context, id int64) (int, error) {
	c.Called("Count")
	n, _ := c.comments.Get(commentKey(ctx, id))
	return n, nil
}

func (c Comments) Add(ctx context.Context, id int64, _ string) error {
	n, _ := c.comments.Get(commentKey(ctx, id))
	c.comments.Put(commentKey(ctx, id), n+1)
	return nil
}
