package templates

import (
	"slices"
	"strings"
	"testing"

	"github.com/cachegen/cachegen/generator/model"
)

// A reviewer must see what a key leaves out and what is folded before it counts.
func TestTableNamesKeysAndNorms(t *testing.T) {
	id, search := &model.Param{Name: "id"}, &model.Param{Name: "s"}
	param := func(p *model.Param, fields ...string) model.Path {
		path := model.Path{Root: model.RootParam, Param: p, Text: strings.Join(append([]string{p.Name}, fields...), ".")}
		for _, f := range fields {
			path.Fields = append(path.Fields, model.Field{Name: f})
		}
		return path
	}
	fold := func(p model.Path) model.Path {
		p.Norm = &model.Func{Name: "Fold"}
		return p
	}
	tag := func(p model.Path) model.Tag { return model.Tag{Text: "h:{" + p.Text + "}", Args: []model.Path{p}} }
	for _, c := range []struct {
		read model.ReadPlan
		want []string
	}{
		{model.ReadPlan{Key: "Find", Args: []model.Path{param(id), param(search)}}, nil},
		{model.ReadPlan{Key: "Find", Args: []model.Path{param(search)}}, []string{"ignores id"}},
		{model.ReadPlan{Key: "user", Args: []model.Path{param(id), param(search)}}, []string{"key user"}},
		{model.ReadPlan{Key: "Find", Args: []model.Path{param(search), param(id)}}, []string{"key Find:{s}:{id}"}},
		{
			model.ReadPlan{Key: "user", Args: []model.Path{param(search, "ID")}},
			[]string{"key user:{s.ID}", "ignores id"},
		},
		{
			model.ReadPlan{Key: "Find", Args: []model.Path{param(id), fold(param(search, "Name"))}, Tags: []model.Tag{tag(fold(param(search, "Name")))}},
			[]string{"h:{s.Name}", "key Find:{id}:{s.Name}", "norm s.Name by Fold"},
		},
		{
			model.ReadPlan{Key: "Find", Args: []model.Path{param(id), param(search)}, Tags: []model.Tag{tag(fold(param(search, "Name")))}},
			[]string{"h:{s.Name}", "norm s.Name by Fold"},
		},
	} {
		m := &model.Method{Name: "Find", Kind: model.Read, Params: []*model.Param{id, search}, Read: &c.read}
		if got := readFacts(m); !slices.Equal(got, c.want) {
			t.Errorf("got  %q\nwant %q", got, c.want)
		}
	}

	write := &model.WritePlan{
		Tags: []model.Tag{tag(fold(param(search, "Name"))), tag(param(id))}, After: []model.Tag{tag(fold(param(search, "Name")))},
	}
	want := []string{"drops h:{s.Name} h:{id} h:{s.Name}", "norm s.Name by Fold"}
	if got := writeFacts(write); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
