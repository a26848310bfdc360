package templates

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/cachegen/cachegen/generator/model"
)

// table is the wrapper's doc comment: what is cached, for how long, and what each method
// depends on or drops, one method a row.
func (w *wrapper) table() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s is %s with a cache in front of it. Repository %q, level %s%s.\n\n",
		w.typeName, w.repo.Iface, w.repo.Name, w.repo.Level, tenantText(w.repo.Tenant))
	rows := [][]string{{"method", "kind", "ttl", "level", "depends on / drops"}}
	for _, m := range w.repo.Methods {
		rows = append(rows, tableRows(m)...)
	}
	b.WriteString(aligned(rows))
	for _, m := range w.repo.Methods {
		if note := lateNote(m); note != "" {
			b.WriteString("\n" + note + "\n")
		}
	}
	return b.String()
}

func tenantText(t model.Tenant) string {
	switch t.Kind {
	case model.TenantCtx:
		return ", one cache for each tenant of the context"
	case model.TenantFunc:
		return ", one cache for each tenant of " + funcText(t.Func)
	}
	return ""
}

// restWidth is where the last column continues on a line of its own.
const restWidth = 72

// tableRows is a method's row and, where its facts need more room, further lines below it.
func tableRows(m *model.Method) [][]string {
	head := []string{m.Name, "pass", "", ""}
	var facts []string
	switch m.Kind {
	case model.Read:
		head = []string{m.Name, "read", model.Duration(m.Read.TTL), string(m.Read.Level)}
		facts = readFacts(m)
	case model.Write:
		head = []string{m.Name, "write", "", string(m.Write.Level)}
		facts = writeFacts(m.Write)
	case model.Tx:
		head = []string{m.Name, "tx", "", ""}
		facts = []string{txFact(m.Tx)}
	}
	if m.Reason != "" {
		facts = append(facts, m.Reason)
	}
	lines := []string{""}
	for _, f := range facts {
		last := len(lines) - 1
		switch {
		case lines[last] == "":
			lines[last] = f
		case len(lines[last])+len(f) < restWidth:
			lines[last] += "; " + f
		default:
			lines[last] += ";"
			lines = append(lines, f)
		}
	}
	rows := [][]string{append(head, lines[0])}
	for _, line := range lines[1:] {
		rows = append(rows, []string{"", "", "", "", line})
	}
	return rows
}

func readFacts(m *model.Method) []string {
	r := m.Read
	var facts []string
	if tags := tagTexts(append(append([]model.Tag{}, r.Tags...), r.Rows...)); tags != "" {
		facts = append(facts, tags)
	}
	if key := keyText(m); key != "" {
		facts = append(facts, "key "+key)
	}
	if ignored := ignoredParams(m); len(ignored) > 0 {
		facts = append(facts, "ignores "+strings.Join(ignored, ", "))
	}
	for i := range r.Ctx {
		facts = append(facts, "ctx "+funcText(&r.Ctx[i].Func))
	}
	facts = append(facts, normTexts(r.Args, r.Tags, r.Rows)...)
	for _, b := range r.Bypass {
		facts = append(facts, "bypass "+b.Source)
	}
	if r.Tx != nil {
		facts = append(facts, "tx "+r.Tx.Name)
	}
	if r.Staleness > 0 {
		facts = append(facts, "staleness "+model.Duration(r.Staleness))
	}
	if r.Negative > 0 {
		facts = append(facts, "negative "+model.Duration(r.Negative)+absentText(r))
	}
	return facts
}

// keyText is the key where it is not the method with its parameters in their order.
func keyText(m *model.Method) string {
	text, usual, rest := m.Read.Key, true, m.Arguments()
	for _, a := range m.Read.Args {
		if a.Root != model.RootParam {
			continue
		}
		text += ":{" + a.Text + "}"
		i := slices.Index(rest, a.Param)
		usual = usual && i >= 0 && len(a.Fields) == 0
		rest = rest[i+1:]
	}
	switch {
	case !usual:
		return text
	case m.Read.Key != m.Name:
		return m.Read.Key
	}
	return ""
}

// normTexts says what is folded in a key and in tags.
func normTexts(args []model.Path, tags ...[]model.Tag) []string {
	args = slices.Clone(args)
	for _, t := range slices.Concat(tags...) {
		args = append(args, t.Args...)
	}
	var facts []string
	for _, p := range args {
		if p.Norm == nil {
			continue
		}
		if fact := "norm " + p.Text + " by " + funcText(p.Norm); !slices.Contains(facts, fact) {
			facts = append(facts, fact)
		}
	}
	return facts
}

func absentText(r *model.ReadPlan) string {
	var forms []string
	for _, o := range r.NotFound {
		forms = append(forms, o.Name)
	}
	switch r.Absent {
	case model.AbsentNil:
		forms = append(forms, "nil")
	case model.AbsentZero:
		forms = append(forms, "zero")
	case model.AbsentBool:
		forms = append(forms, "false")
	}
	if len(forms) == 0 {
		return ""
	}
	return " (" + strings.Join(forms, ", ") + ")"
}

// ignoredParams are those that neither the key nor a condition looks at.
func ignoredParams(m *model.Method) []string {
	used := map[*model.Param]bool{}
	for _, p := range m.Read.Args {
		used[p.Param] = true
	}
	for _, b := range m.Read.Bypass {
		used[b.Path.Param] = true
	}
	used[m.Read.Tx] = true
	var names []string
	for _, p := range m.Arguments() {
		if !used[p] {
			names = append(names, p.Name)
		}
	}
	return names
}

func writeFacts(p *model.WritePlan) []string {
	var facts []string
	drops := tagTexts(append(append([]model.Tag{}, p.Tags...), p.After...))
	if p.Old != nil {
		drops = strings.TrimSpace(drops + " " + tagTexts(p.Old.Tags))
	}
	for _, repo := range p.DropAll {
		drops = strings.TrimSpace(drops + " " + repo + "/*")
	}
	if drops != "" {
		facts = append(facts, "drops "+drops)
	}
	facts = append(facts, normTexts(nil, p.Tags, p.After)...)
	if p.Old != nil {
		facts = append(facts, normTexts(nil, p.Old.Tags)...)
		facts = append(facts, "old "+p.Old.Text)
	}
	from := map[model.ValueFrom]string{
		model.FromRet: " from the result", model.FromArg: " from the argument", model.FromReload: " reloaded",
	}
	for _, put := range p.Puts {
		facts = append(facts, "puts "+put.Text+from[put.From])
	}
	if p.Tx != nil {
		facts = append(facts, "tx "+p.Tx.Name)
	}
	if p.Staleness > 0 {
		facts = append(facts, "waits "+model.Duration(p.Staleness))
	}
	if p.OnError != "" {
		facts = append(facts, "onerror "+string(p.OnError))
	}
	return facts
}

// txFact says when the cache is told.
func txFact(p *model.TxPlan) string {
	switch {
	case p.Body == nil:
		return "hands out a store; told by the unit of work in the context"
	case p.Store < 0:
		return "runs " + p.Body.Name + "; told at its commit"
	}
	return "runs " + p.Body.Name + " with a store; told at its commit"
}

// lateNote says for which tags a write keeps less than its level promises.
func lateNote(m *model.Method) string {
	if m.Write == nil {
		return ""
	}
	var late []string
	for _, t := range m.Write.After {
		late = append(late, t.Text)
	}
	for _, p := range m.Write.Puts {
		if p.AfterRun {
			late = append(late, p.Text)
		}
	}
	if len(late) == 0 {
		return ""
	}
	return fmt.Sprintf("%s knows %s only after the write: for that its level is bounded.", m.Name, strings.Join(late, " and "))
}

func tagTexts(tags []model.Tag) string {
	texts := make([]string, len(tags))
	for i, t := range tags {
		texts[i] = t.Text
	}
	return strings.Join(texts, " ")
}

func funcText(f *model.Func) string {
	if f.Pkg == nil {
		return f.Name
	}
	return f.Pkg.Name() + "." + f.Name
}

// aligned pads the columns and indents each row as a code block of a doc comment.
func aligned(rows [][]string) string {
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	var b strings.Builder
	for _, row := range rows {
		line := "\t"
		for i, cell := range row {
			line += cell + strings.Repeat(" ", widths[i]-utf8.RuneCountInString(cell)+2)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	return b.String()
}
