package tenancy

import (
	"context"
	"fmt"

	"github.com/cachegen/cachegen/golden/internal/memdb"
	"github.com/cachegen/cachegen/golden/tenancy/auth"
	"github.com/cachegen/cachegen/runtime/cachert"
)

// Notes is a NoteRepo in memory.
type Notes struct {
	memdb.Calls
	notes memdb.Table[string, string]
}

func noteKey(ctx context.Context, id int64) string {
	tenant, _ := cachert.TenantFromContext(ctx)
	return fmt.Sprint(tenant, "\x00", id)
}

func (n *Notes) Get(ctx context.Context, id int64) (string, error) {
	n.Called("Get")
	text, _ := n.notes.Get(noteKey(ctx, id))
	return text, nil
}

func (n *Notes) Set(ctx context.Context, id int64, text string) error {
	n.notes.Put(noteKey(ctx, id), text)
	return nil
}

// Projects is a ProjectRepo in memory.
type Projects struct {
	memdb.Calls
	projects memdb.Table[int64, Project]
}

func (p *Projects) ByID(ctx context.Context, id int64) (*Project, error) {
	p.Called("ByID")
	org, _ := auth.CurrentOrg(ctx)
	project, ok := p.projects.Get(id)
	if !ok || project.Org != org {
		return nil, nil
	}
	return &project, nil
}

func (p *Projects) Mine(ctx context.Context) ([]Project, error) {
	p.Called("Mine")
	org, _ := auth.CurrentOrg(ctx)
	user, _ := auth.UserID(ctx)
	return p.projects.Select(func(p Project) bool { return p.Org == org && p.Owner == user }), nil
}

func (p *Projects) Welcome(ctx context.Context, id int64) (string, error) {
	p.Called("Welcome")
	project, _ := p.projects.Get(id)
	user, _ := auth.UserID(ctx)
	return fmt.Sprintf("%s:%d:%s", auth.Language(ctx), user, project.Name), nil
}

func (p *Projects) Save(_ context.Context, project Project) error {
	p.projects.Put(project.ID, project)
	return nil
}
