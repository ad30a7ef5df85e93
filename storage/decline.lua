#!lua flags=allow-oom
-- KEYS: ready, declined. ARGV: entry, consumer, chat, 1 if it wants no announcements, else 0.
-- Notes that. Returns 0 if the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return 0 end
if ARGV[4] == '1' then
  redis.call('ZADD', KEYS[2], 'NX', redis.call('TIME')[1], ARGV[3])
else
  redis.call('ZREM', KEYS[2], ARGV[3])
end
return 1
