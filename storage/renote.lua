#!lua flags=allow-oom
-- KEYS: ready, outbox. ARGV: entry, consumer, fields with their values...
-- Replaces all notes on the head by these. Returns 0 if the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return 0 end
redis.call('DEL', KEYS[2])
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
return 1
