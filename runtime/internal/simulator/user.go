package simulator

import (
	"context"

	"github.com/cachegen/cachegen/runtime/cachert"
)

// user is a caller whose calls go to one process and then to another, with the token of the
// session in between. The world's lock guards it.
type user struct {
	token string
	seen  map[string]int // what reads of the session have returned, by object
	last  *op            // the call before
}

// begin returns the context of a call, and what ends it: the token is taken then, and what the
// call has written counts. A process that has died hands out none.
func (u *user) begin(o *op, ctx context.Context) (_ context.Context, end func()) {
	if u == nil {
		return ctx, func() {}
	}
	if before := u.last; before != nil { // what it has changed is what it looks at
		o.follows = before.touched
	}
	u.last = o
	token := u.token
	if o.w.broken(LostToken) {
		token = ""
	}
	o.user, o.session = u, o.p.cache.NewSession(token)
	return cachert.WithSession(ctx, o.session), func() {
		token := o.session.Token()
		o.w.state.Lock()
		defer o.w.state.Unlock()
		if !o.p.killed {
			u.token, o.over = token, true
		}
	}
}

// floor is the state of an object below which no read of the session may go: what it has
// written, as far as it was committed, and what it has read at a level that promises so.
// The row of a write that was not heard of is nobody's to note.
func (u *user) floor(object string, h *history) int {
	floor := 0
	if h.class == strict || h.class == session {
		floor = u.seen[object]
	}
	for i, st := range h.states {
		if own := st.own(u); own && i > floor {
			floor = h.reach(floor, i, func(st state) bool { return st.bound || st.by.wasTold || st.own(u) })
		}
	}
	return floor
}

func (st state) own(u *user) bool {
	return st.by != nil && st.by.user == u && st.by.over && !(st.by.creates && !st.by.answered)
}
