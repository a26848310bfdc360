package directive

import (
	"maps"
	"slices"
)

// rule says how an option may be used.
type rule struct {
	many    bool // may be repeated
	example string
}

// grammar lists the options of each verb.
var grammar = map[string]map[string]rule{
	"repo": {
		"name":      {false, "name=books"},
		"ttl":       {false, "ttl=10m"},
		"jitter":    {false, "jitter=10%"},
		"maxsize":   {false, "maxsize=64KB"},
		"negative":  {false, "negative=30s"},
		"notfound":  {true, "notfound=ErrNotFound"},
		"tenant":    {false, "tenant=ctx"},
		"level":     {false, "level=session"},
		"staleness": {false, "staleness=50ms"},
		"onerror":   {false, "onerror=proceed"},
		"reason":    {false, `"reason=why it is so"`},
	},
	"read": {
		"tag":       {true, "tag=book:{id}"},
		"key":       {false, "key=book:{id}"},
		"ignore":    {true, "ignore=trace"},
		"norm":      {true, "norm=email:strings.ToLower"},
		"bypass":    {true, "bypass=lock:!=LockNone"},
		"ctx":       {true, "ctx=auth.UserID"},
		"ttl":       {false, "ttl=10m"},
		"jitter":    {false, "jitter=10%"},
		"maxsize":   {false, "maxsize=64KB"},
		"negative":  {false, "negative=30s"},
		"notfound":  {true, "notfound=ErrNotFound"},
		"level":     {false, "level=strict"},
		"staleness": {false, "staleness=50ms"},
		"tx":        {false, "tx=tx"},
		"accept":    {true, "accept=CG201"},
		"reason":    {false, `"reason=why it is so"`},
	},
	"write": {
		"drop":      {true, "drop=book:{id}"},
		"put":       {true, "put=ByID(id)"},
		"old":       {false, "old=ByID(id)"},
		"value":     {false, "value=reload"},
		"norm":      {true, "norm=email:strings.ToLower"},
		"level":     {false, "level=strict"},
		"staleness": {false, "staleness=50ms"},
		"onerror":   {false, "onerror=fail"},
		"tx":        {false, "tx=tx"},
		"accept":    {true, "accept=CG202"},
		"reason":    {false, `"reason=why it is so"`},
	},
	"tx": {
		"reason": {false, `"reason=why it is so"`},
	},
	"pass": {
		"methods": {false, "methods=Close,Ping"},
		"reason":  {false, `"reason=why it is so"`},
	},
}

// Verbs lists the verbs in the order of the alphabet.
func Verbs() []string { return slices.Sorted(maps.Keys(grammar)) }

func optionNames(verb string) []string { return slices.Sorted(maps.Keys(grammar[verb])) }
