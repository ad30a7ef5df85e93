#!lua flags=allow-oom
-- KEYS: ready, draft, announcement, outbox. ARGV: entry, consumer, number.
-- Cancels the announcement of this number, or drops its draft. Returns 'cancelled' or 'dropped' (now, or by this
-- update before), or 'over' if it is neither; nothing if the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local before = redis.call('HGET', KEYS[4], 'ended')
if before then return before end
if redis.call('HGET', KEYS[3], 'number') == ARGV[3] then
  redis.call('HSET', KEYS[3], 'cancelled', 1)
  redis.call('HSET', KEYS[4], 'ended', 'cancelled')
  return 'cancelled'
end
if (redis.call('GET', KEYS[2]) or ''):match('^%d+') ~= ARGV[3] then return 'over' end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[4], 'ended', 'dropped')
return 'dropped'
