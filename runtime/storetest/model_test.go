package storetest

import (
	"testing"

	"github.com/cachegen/cachegen/runtime/store"
)

// The judge is judged: histories that no correct cell can produce, and the nearest one that
// it can.
func TestExplain(t *testing.T) {
	read := func(g store.Generation) action {
		return action{kind: reads, fresh: "mine", seen: store.Cell{Generation: g, Marked: g == ""}}
	}
	for _, tt := range []struct {
		name string
		all  []span
		want bool
	}{
		{"two overlapping writes both taken", []span{
			{action{kind: marks, token: "a"}, 1, 2},
			{action{kind: marks, token: "b"}, 3, 4},
			{action{kind: posts, token: "a", fresh: "A", outcome: store.Taken}, 5, 6},
			{action{kind: posts, token: "b", fresh: "B", outcome: store.Taken}, 7, 8},
		}, false},
		{"the same, had they been concurrent", []span{
			{action{kind: marks, token: "a"}, 1, 2},
			{action{kind: marks, token: "b"}, 3, 8},
			{action{kind: posts, token: "a", fresh: "A", outcome: store.Taken}, 5, 6},
			{action{kind: posts, token: "b", fresh: "B", outcome: store.Taken}, 9, 10},
		}, true},
		{"a read sees a generation that a mark destroyed", []span{
			{read("mine"), 1, 2},
			{action{kind: marks, token: "a"}, 3, 4},
			{read("mine"), 5, 6},
		}, false},
		{"the same, had the mark still been under way", []span{
			{read("mine"), 1, 2},
			{action{kind: marks, token: "a"}, 3, 7},
			{read("mine"), 5, 6},
		}, true},
		{"a replaced post leaves a generation that was offered", []span{
			{action{kind: bumps, fresh: "B", outcome: store.Replaced}, 1, 2},
			{read("B"), 3, 4},
		}, false},
		{"a replaced post leaves a generation that nobody offered", []span{
			{action{kind: bumps, fresh: "B", outcome: store.Replaced}, 1, 2},
			{read("Br"), 3, 4},
			{read("Br"), 5, 6},
		}, true},
		{"it is not two generations", []span{
			{action{kind: bumps, fresh: "B", outcome: store.Replaced}, 1, 2},
			{read("Br"), 3, 4},
			{read("Bs"), 5, 6},
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			offered := map[store.Generation]bool{}
			for _, sp := range tt.all {
				offered[sp.fresh] = true
			}
			if got := explain(tt.all, offered); got != tt.want {
				t.Errorf("explained: %v, want %v", got, tt.want)
			}
		})
	}
}
