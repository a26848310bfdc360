package check

import (
	"cmp"
	"slices"
	"strings"

	"github.com/cachegen/cachegen/generator/internal/directive"
	"github.com/cachegen/cachegen/generator/model"
)

// write plans a write: what it drops and what it puts in place.
func (m *method) write() {
	w := &model.WritePlan{Level: m.repo.defaults.level, OnError: m.repo.defaults.onerror}
	m.model.Write = w
	m.checkAccept()
	m.needsContext()
	if o, ok := m.dir.Get("level"); ok {
		w.Level = m.repo.level(o)
	}
	m.wait()
	if o, ok := m.dir.Get("onerror"); ok {
		w.OnError = m.repo.onerror(o)
		if w.OnError != "proceed" && !m.model.Fails() {
			m.repo.Add("CG103", o.At, "give it an error result, or say onerror=proceed", "%s returns no error, so nobody could be told that it was refused", m.fn.Name())
		}
	}
	if w.OnError != "" && !m.model.Fails() {
		w.OnError = "proceed" // nobody could be told of a refusal
	}
	w.Tx = m.txParam()
	m.readNorms()
	m.old()
	for _, o := range m.dir.All("drop") {
		m.drop(o)
	}
	m.unusedOld()
	m.puts()
	m.unusedNorms()
	if len(m.dir.All("drop"))+len(m.dir.All("put")) == 0 && !m.dir.Faulty {
		m.repo.Add("CG205", m.dir.At, "say what it changes: drop=book:{id}, put=ByID(id) or drop=*; a method that changes nothing cached is //cachegen:pass",
			"the write %s invalidates nothing", m.fn.Name())
	}
}

// wait reads how long a write at level leased waits between its marks and its commit.
func (m *method) wait() {
	w, leased := m.model.Write, m.model.Write.Level == model.Leased
	if leased {
		w.Staleness = m.repo.defaults.staleness
	}
	switch o, ok := m.dir.Get("staleness"); {
	case ok && leased:
		w.Staleness = m.repo.staleness(o, w.Level)
	case ok:
		m.repo.Add("CG103", o.At, "remove it, or say level=leased", "a write at level %s waits for nobody: staleness= is for reads, and for writes at level leased", w.Level)
	}
}

// drop resolves one drop=.
func (m *method) drop(o directive.Option) {
	w := m.model.Write
	if parsed, fault := directive.ParseTag(o.Value); fault == nil && parsed.All {
		repo := cmp.Or(parsed.Repo.S, m.repo.model.Name)
		w.DropAll = append(w.DropAll, repo)
		m.repo.uses = append(m.repo.uses, use{repo: repo, name: "*", method: m, option: o, drop: true})
		return
	}
	allow := roots{ret: true, row: true}
	if w.Old != nil {
		allow.old = m.repo.byName(w.Old.Read.Name)
	} else if _, asked := m.dir.Get("old"); asked && usesOld(o) {
		return // old= was reported
	}
	t, ok := m.tag(o, allow)
	switch {
	case !ok:
	case fromOld(t) && late(t):
		m.repo.Add("CG113", o.Value.Span(), "drop two tags, one of the old row and one of the result", "a tag cannot be made of the old row and the result together")
	case fromOld(t):
		w.Old.Tags = append(w.Old.Tags, t)
	case late(t):
		w.After = append(w.After, t)
		m.repo.Note("CG203", o.Value.Span(), "prefer a parameter or old= where one tells it",
			"%s is known only after %s: for this tag the write is bounded", t.Text, m.fn.Name())
	default:
		w.Tags = append(w.Tags, t)
	}
}

func usesOld(drop directive.Option) bool { return strings.Contains(drop.Value.S, "{old") }

// unusedOld reports an old row that no drop looks at.
func (m *method) unusedOld() {
	w := m.model.Write
	o, ok := m.dir.Get("old")
	used := slices.ContainsFunc(m.dir.All("drop"), usesOld)
	if ok && w.Old != nil && !used {
		m.repo.Add("CG160", o.At, "drop a tag of it: drop=author:{old.AuthorID}", "%s reads the old row and drops nothing of it", m.fn.Name())
	}
}
