package layer

// Kind describes a layer that can be checked.
type Kind struct {
	Name string
	Open func(Settings) (Layer, error)
	// Broken says that it is known to be: it is here to be found out.
	Broken bool
	// Rows keeps the calls to single rows: lists and transactions would be found out first, for
	// another reason than the one in the name.
	Rows bool
	// Level is what it is held to; empty: to every level it has.
	Level string
	// Faults are what it is found out under.
	Faults string
}

// Kinds are the layers: ours first, then what must be found out.
var Kinds = []Kind{
	{Name: "cachegen", Open: Ours},
	{Name: "cachegen, onerror=fail", Open: firm, Level: "session"},
	{Name: "delete after commit", Open: broken(func(p plain) deleteAfter { return deleteAfter{p} }), Broken: true, Level: "strict", Faults: "none"},
	{Name: "blind write-through", Open: broken(func(p plain) blind { return blind{deleteAfter{p}} }), Broken: true, Level: "strict", Faults: "none"},
	{Name: "snapshot after load", Open: broken(func(p plain) snapshotAfter { return snapshotAfter{p} }), Broken: true, Level: "strict", Faults: "none"},
	{Name: "single marker slot", Open: broken(func(p plain) oneSlot { return oneSlot{p} }), Broken: true, Rows: true, Level: "strict", Faults: "none"},
	{Name: "no marks", Open: unmarked, Broken: true, Level: "strict", Faults: "none"},
	{Name: "no fence", Open: noFence, Broken: true, Level: "session", Faults: "none"},
	{Name: "go-redis/cache", Open: openGoRedisCache, Broken: true, Level: "session", Faults: "within"},
	{Name: "go-zero", Open: openGoZero, Broken: true, Level: "session", Faults: "within"},
	{Name: "rueidisaside", Open: openRueidisAside, Broken: true, Level: "session", Faults: "within"},
}

// Find returns the layer of that name.
func Find(name string) (Kind, bool) {
	for _, k := range Kinds {
		if k.Name == name {
			return k, true
		}
	}
	return Kind{}, false
}
