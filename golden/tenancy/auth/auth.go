// Package auth carries who is asking in the context.
package auth

import "context"

// Org is whose data a request is about.
type Org string

type (
	orgKey  struct{}
	userKey struct{}
	langKey struct{}
)

// With returns a context for a member of an organisation.
func With(ctx context.Context, org Org, user int64) context.Context {
	return context.WithValue(context.WithValue(ctx, orgKey{}, org), userKey{}, user)
}

// CurrentOrg is the organisation of ctx.
func CurrentOrg(ctx context.Context) (Org, bool) {
	org, ok := ctx.Value(orgKey{}).(Org)
	return org, ok
}

// UserID is the user of ctx. Zero is a user, too: the system's own.
func UserID(ctx context.Context) (int64, bool) {
	id, ok := ctx.Value(userKey{}).(int64)
	return id, ok
}

// WithLanguage returns a context that asks for texts in a language.
func WithLanguage(ctx context.Context, lang string) context.Context {
	return context.WithValue(ctx, langKey{}, lang)
}

// Language is the language of ctx, "" when it names none.
func Language(ctx context.Context) string {
	lang, _ := ctx.Value(langKey{}).(string)
	return lang
}
