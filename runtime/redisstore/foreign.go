package redisstore

import (
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/redis/rueidis"

	"github.com/cachegen/cachegen/runtime/store"
)

// What stands under a key may have been written by anybody. A value of another type, one that
// is longer than it may be and one of another form are foreign: as good as absent, so that an
// entry is overwritten by the next fill, and a cell by the next script, whichever it is. No
// more of it than maxSeen bytes is fetched to find that out.

// maxSeen is how much of a cell a reader asks for: a generation, or the first marker of many.
const maxSeen = 256

// horizon is how far ahead of the server's clock a marker may expire to be one: more than any
// lease, because clocks are set back. It stands in the scripts too.
const horizon = 2 * store.MaxLease

func getCell(key string) command {
	return command{key: key, build: func(b rueidis.Builder) rueidis.Completed { return rangeOf(b, key).Build() }}
}

func rangeOf(b rueidis.Builder, key string) rangeCommand {
	return b.Getrange().Key(key).Start(0).End(maxSeen - 1)
}

// rangeCommand is what rueidis makes of GETRANGE.
type rangeCommand interface {
	Build() rueidis.Completed
	Cache() rueidis.Cacheable
}

// getEntry reads an entry up to one byte more than it may have.
func getEntry(key string, most int) command {
	if most <= 0 {
		return get(key)
	}
	return command{key: key, build: func(b rueidis.Builder) rueidis.Completed {
		return b.Getrange().Key(key).Start(0).End(int64(most)).Build()
	}}
}

// entryOf is nil for what is no entry. Without a bound it is never nil for an entry that exists,
// not even for one without bytes.
func entryOf(m rueidis.RedisMessage, most int, foreign *int) []byte {
	if m.IsNil() {
		return nil
	}
	value, err := m.AsBytes()
	switch {
	case err != nil, most > 0 && len(value) > most:
		*foreign++
		return nil
	case most > 0 && len(value) == 0: // GETRANGE of nothing
		return nil
	case value == nil:
		return []byte{}
	}
	return value
}

// cellOf reads what a reader was sent of a cell; the zero Cell is an absent one.
func cellOf(m rueidis.RedisMessage, foreign *int) store.Cell {
	if m.IsNil() {
		return store.Cell{}
	}
	value, err := m.ToString()
	if err == nil && value == "" {
		return store.Cell{}
	}
	cell := store.Cell{Generation: generationOf(value), Marked: marked(value, time.Now())}
	if cell == (store.Cell{}) && !firstMarker.MatchString(value) {
		*foreign++
	}
	return cell
}

// made reads the reply of makeScript, which has looked more closely than a reader can.
func made(m rueidis.RedisMessage) store.Cell {
	value := text(m)
	return store.Cell{Generation: generationOf(value), Marked: strings.HasPrefix(value, "m")}
}

var firstMarker = regexp.MustCompile(`^m[0-9A-Za-z]+,([0-9]{1,15}),[01];`)

// marked reports whether value begins as a list of markers does that can be in force. When in
// doubt, and clocks that differ are a reason, it says no, because then the server is asked,
// whose clock decides: a cell that somebody has left without a TTL must not keep its readers
// from storing anything for ever.
func marked(value string, now time.Time) bool {
	marker := firstMarker.FindStringSubmatch(value)
	if marker == nil {
		return false
	}
	expiry, err := strconv.ParseInt(marker[1], 10, 64)
	return err == nil && expiry > now.UnixMilli() && expiry <= now.Add(horizon).UnixMilli()
}

// generationOf returns the generation in a cell's value, "" when it holds none.
func generationOf(value string) store.Generation {
	if len(value) < 2 || len(value) >= maxSeen || value[0] != 'g' {
		return ""
	}
	return store.Generation(value[1:])
}

// wrongType reports that a key holds no string.
func wrongType(err error) bool {
	reply, ok := rueidis.IsRedisErr(err)
	return ok && strings.HasPrefix(reply.Error(), "WRONGTYPE")
}
