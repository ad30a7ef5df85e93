#!lua flags=allow-oom
-- KEYS: pace of a chat. ARGV: milliseconds to freeze it, milliseconds of a wider pace after that; or
-- nothing. Returns the milliseconds for which it is frozen still.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
if redis.call('TYPE', KEYS[1]).ok ~= 'hash' then redis.call('DEL', KEYS[1]) end
local frozen = tonumber(redis.call('HGET', KEYS[1], 'frozen')) or now
if not ARGV[1] then return math.max(0, frozen - now) end
frozen = math.max(frozen, now + ARGV[1])
local wide = frozen + ARGV[2]
redis.call('HSET', KEYS[1], 'at', now, 'frozen', frozen, 'wide', wide)
redis.call('PEXPIRE', KEYS[1], wide - now)
return frozen - now
