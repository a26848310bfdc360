package redisstore

import (
	"crypto/sha1"
	"encoding/hex"
)

// A cell is one string key:
//
//	g<generation>                      a generation
//	m<token>,<expiry>,<met>;...        markers, one or more
//
// A token consists of letters and digits, expiry is in milliseconds of the server's clock,
// met is 1 when the write has met another one in this cell since its mark and may no longer
// write through. A key that does not exist is an absent cell, and so is one that holds anything
// else, more than 1 MiB, or only markers that expire more than a day ahead.
//
// A cell of markers expires with the last of them, so that those of crashed writers vanish by
// themselves; the cell is absent then.
//
// Each script works on KEYS[1] alone, decides by the server's clock, writes at most once and
// at its end, and is given a generation that nobody has used. It either does all or nothing.

// script is a Lua program that is called by its hash, and sent whole where the server does
// not know it.
type script struct{ text, sha string }

func newScript(text string) *script {
	sum := sha1.Sum([]byte(text)) // the name Redis gives it, no protection of anything
	return &script{text: text, sha: hex.EncodeToString(sum[:])}
}

// prelude reads the cell: cell is its value or false, list are its markers in force.
const prelude = `
local clock = redis.call('TIME')
local now = clock[1] * 1000 + math.floor(clock[2] / 1000)
local cell = redis.pcall('GETRANGE', KEYS[1], 0, 1048576)
if type(cell) ~= 'string' or #cell < 2 or #cell > 1048576 then cell = false end
local list = {}
if cell and string.sub(cell, 1, 1) == 'm' then
  for token, expiry, met in string.gmatch(string.sub(cell, 2), '(%w+),(%d+),([01]);') do
    if tonumber(expiry) > now and tonumber(expiry) <= now + 86400000 then
      list[#list + 1] = {token, tonumber(expiry), met}
    end
  end
end
local function generation(g, ttl)
  redis.call('SET', KEYS[1], 'g' .. g, 'PX', ttl)
end
local function markers()
  local text, last = {'m'}, 0
  for _, m in ipairs(list) do
    text[#text + 1] = string.format('%s,%.0f,%s;', m[1], m[2], m[3])
    if m[2] > last then last = m[2] end
  end
  text = table.concat(text)
  if #text > 1048576 then return redis.error_reply('ERR cachegen: too many writes in progress on one tag') end
  redis.call('SET', KEYS[1], text, 'PX', string.format('%.0f', last - now))
end
local function meet()
  for _, m in ipairs(list) do m[3] = '1' end
end
`

// makeScript makes an absent cell for a reader. ARGV: a generation never used before, TTL in
// ms. Returns the cell's value, which is another one where somebody was faster. (SET NX GET
// would do, from Redis 7 on.)
var makeScript = newScript(prelude + `
if #list > 0 or cell and string.sub(cell, 1, 1) == 'g' and #cell < 256 then
  return string.sub(cell, 1, 255)
end
generation(ARGV[1], ARGV[2])
return 'g' .. ARGV[1]
`)

// markScript adds a marker and destroys the generation. ARGV: token, lease in ms. Markers
// that stand there and the new one have met. The same token again extends its lease
// and does nothing else. Returns nothing of interest, or an error when the cell would be longer than
// what is taken for one: then all the markers in it would be lost.
var markScript = newScript(prelude + `
local expiry, own = now + tonumber(ARGV[2]), false
for _, m in ipairs(list) do
  if m[1] == ARGV[1] then
    own = true
    if m[2] < expiry then m[2] = expiry end
  end
end
if not own then
  meet()
  list[#list + 1] = {ARGV[1], expiry, #list > 0 and '1' or '0'}
end
return markers() or 0
`)

// postScript removes a marker. ARGV: token, a generation never used before, TTL in ms.
// Returns a store.Outcome:
//
//	1 Taken     the write was alone: the cell holds the generation
//	2 Replaced  it had met others, who are gone: another generation
//	3 Pending   others stand
//	4 Lost      the marker was not there: another generation, or where others stand they
//	            have met now
var postScript = newScript(prelude + `
local own, rest = false, {}
for _, m in ipairs(list) do
  if m[1] == ARGV[1] then own = m else rest[#rest + 1] = m end
end
list = rest
if #list > 0 then
  if not own then meet() end
  markers()
  return own and 3 or 4
end
if own and own[3] == '0' then
  generation(ARGV[2], ARGV[3])
  return 1
end
generation(ARGV[2] .. 'r', ARGV[3])
return own and 2 or 4
`)

// bumpScript gives a cell a new generation for a write that has not marked it. ARGV: the
// generation known before the write or an empty string, 1 if an absent cell is as good, a
// generation never used before, TTL in ms. Returns a store.Outcome: 1 Taken, 2 Replaced, 3
// Pending where markers stand, which have met now.
var bumpScript = newScript(prelude + `
if #list > 0 then
  meet()
  markers()
  return 3
end
local held = cell and string.sub(cell, 1, 1) == 'g'
if not held and ARGV[2] == '1' or held and ARGV[1] ~= '' and cell == 'g' .. ARGV[1] then
  generation(ARGV[3], ARGV[4])
  return 1
end
generation(ARGV[3] .. 'r', ARGV[4])
return 2
`)

// renewScript extends a generation's life to ARGV[1] ms when less than half of it is left.
// It ends the promises of all readers, who ask again.
var renewScript = newScript(`
local cell = redis.pcall('GETRANGE', KEYS[1], 0, 0)
if cell == 'g' and redis.call('PTTL', KEYS[1]) < ARGV[1] / 2 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
end
return 0
`)
