#!lua flags=allow-oom
-- KEYS: ready, parked. ARGV: entry, consumer, lane, milliseconds.
-- Takes the lane, if it is ours, out of the queue for that long; what waits in it stays.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return end
local time = redis.call('TIME')
redis.call('ZADD', KEYS[2], time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[4], ARGV[3])
redis.call('XACK', KEYS[1], 'workers', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
