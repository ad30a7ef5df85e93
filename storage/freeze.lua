#!lua flags=allow-oom
-- KEYS: pace of a chat. ARGV: milliseconds to freeze it, milliseconds of a slower pace after that; or
-- nothing. Returns for how many more milliseconds it is frozen. See pace.lua.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local found = redis.call('HMGET', KEYS[1], 'at', 'spent', 'group', 'frozen', 'wide')
local since = math.max(now, tonumber(found[1]) or now)
local left = {}
for i = 2, 5 do left[i - 1] = math.max(0, (tonumber(found[i]) or now) - since) end
local spent, group, frozen, wide = unpack(left)
if ARGV[1] then
  frozen = math.max(frozen, tonumber(ARGV[1]))
  wide = frozen + ARGV[2]
elseif since == now then
  return frozen
end
redis.call('HSET', KEYS[1], 'at', now, 'spent', now + spent, 'group', now + group,
  'frozen', now + frozen, 'wide', now + wide)
redis.call('PEXPIRE', KEYS[1], 1000 + math.max(spent, group, wide))
return frozen
