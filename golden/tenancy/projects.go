package tenancy

import (
	"context"

	"github.com/cachegen/cachegen/golden/tenancy/auth"
)

// Project is a row of an organisation.
type Project struct {
	ID    int64
	Org   auth.Org
	Owner int64
	Name  string
}

// Greeting is what a user sees first.
func Greeting(ctx context.Context) string { return auth.Language(ctx) }

// ProjectRepo stores projects. Row-level security shows each organisation its own.
//
//cachegen:repo name=projects ttl=10m tenant=auth.CurrentOrg
type ProjectRepo interface {
	// ByID returns a project, nil when the organisation has none with that id.
	//
	//cachegen:read tag=project:{id} negative=1m
	ByID(ctx context.Context, id int64) (*Project, error)

	// Mine returns the projects that the user of ctx owns.
	//
	//cachegen:read ctx=auth.UserID tag=owner:{ctx.UserID} tag=project:{row.ID}
	Mine(ctx context.Context) ([]Project, error)

	// Welcome returns a text for a project in the language and for the user of ctx.
	//
	//cachegen:read ctx=auth.UserID ctx=Greeting tag=project:{id}
	Welcome(ctx context.Context, id int64) (string, error)

	// Save stores a project of the organisation of ctx.
	//
	//cachegen:write drop=project:{p.ID} drop=owner:{p.Owner}
	Save(ctx context.Context, p Project) error
}
