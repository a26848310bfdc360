package redisstore

import (
	"crypto/sha1" //nolint:gosec // Redis names scripts by SHA-1
	"encoding/hex"
)

// A cell is a string. "g" and the generation; or "m" and for each marker
// "token,expiry in ms,overlapped;" with overlapped 0 or 1. Tokens hold letters and digits
// only, so no delimiter can occur in one. A cell of markers expires with its last marker:
// those of crashed writers vanish by themselves, and the cell is absent then.
//
// Every script touches KEYS[1] only. Expiry goes by the server's clock.

// prelude defines load (markers that still stand, as a list), save and spoil.
const prelude = `
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local function load(v)
  local list = {}
  if v and string.sub(v, 1, 1) == 'm' then
    for token, exp, over in string.gmatch(string.sub(v, 2), '(%w+),(%d+),([01]);') do
      if tonumber(exp) > now then list[#list + 1] = {token, tonumber(exp), over} end
    end
  end
  return list
end
local function save(list)
  local s, last = {'m'}, 0
  for _, m in ipairs(list) do
    s[#s + 1] = m[1] .. ',' .. string.format('%d', m[2]) .. ',' .. m[3] .. ';'
    if m[2] > last then last = m[2] end
  end
  redis.call('SET', KEYS[1], table.concat(s), 'PX', string.format('%d', last - now))
end
local function spoil(list)
  for _, m in ipairs(list) do m[3] = '1' end
end
local cell = redis.call('GET', KEYS[1])
local list = load(cell)
`

// markScript adds a marker and destroys the generation. ARGV: token, lease in ms. The same
// token again extends the lease and nothing else. A marker is overlapped if another stands
// when it comes, or comes while it stands.
const markScript = prelude + `
local exp = now + tonumber(ARGV[2])
for _, m in ipairs(list) do
  if m[1] == ARGV[1] then m[2] = exp; save(list); return 1 end
end
local over = '0'
if #list > 0 then over = '1' end
spoil(list)
list[#list + 1] = {ARGV[1], exp, over}
save(list)
return 1
`

// postScript ends a mark. ARGV: token, fresh generation, life of the cell in ms. It returns
// a store.Outcome: 1 taken, 2 replaced, 3 pending, 4 lost.
const postScript = prelude + `
local own
for i, m in ipairs(list) do
  if m[1] == ARGV[1] then own = i end
end
if not own then
  if #list > 0 then
    spoil(list)
    save(list)
  else
    redis.call('SET', KEYS[1], 'g' .. ARGV[2] .. 'r', 'PX', ARGV[3])
  end
  return 4
end
local over = list[own][3]
table.remove(list, own)
if #list > 0 then save(list); return 3 end
if over == '1' then
  redis.call('SET', KEYS[1], 'g' .. ARGV[2] .. 'r', 'PX', ARGV[3])
  return 2
end
redis.call('SET', KEYS[1], 'g' .. ARGV[2], 'PX', ARGV[3])
return 1
`

// bumpScript renews an unmarked cell. ARGV: known generation or "", whether an absent cell
// counts as known (0 or 1), fresh generation, life of the cell in ms. Outcomes as above.
const bumpScript = prelude + `
if #list > 0 then
  spoil(list)
  save(list)
  return 3
end
local gen = cell
if gen and string.sub(gen, 1, 1) ~= 'g' then gen = false end
if (gen and ARGV[1] ~= '' and gen == 'g' .. ARGV[1]) or (not gen and ARGV[2] == '1') then
  redis.call('SET', KEYS[1], 'g' .. ARGV[3], 'PX', ARGV[4])
  return 1
end
redis.call('SET', KEYS[1], 'g' .. ARGV[3] .. 'r', 'PX', ARGV[4])
return 2
`

// renewScript extends the life of a generation when less than half of it is left. ARGV: life
// in ms. An extension is a change to Redis, which pushes an invalidation: hence "half".
const renewScript = `
local v = redis.call('GET', KEYS[1])
if v and string.sub(v, 1, 1) == 'g' and redis.call('PTTL', KEYS[1]) < tonumber(ARGV[1]) / 2 then
  redis.call('PEXPIRE', KEYS[1], ARGV[1])
  return 1
end
return 0
`

// script is a Lua script and the name Redis knows it by.
type script struct{ text, sha string }

func newScript(text string) script {
	sum := sha1.Sum([]byte(text)) //nolint:gosec // see the import
	return script{text, hex.EncodeToString(sum[:])}
}

var (
	mark  = newScript(markScript)
	post  = newScript(postScript)
	bump  = newScript(bumpScript)
	renew = newScript(renewScript)
)
