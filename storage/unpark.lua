#!lua flags=allow-oom
-- KEYS: ready, parked. ARGV: most lanes.
-- Queues parked lanes whose time has come, at the end of the queue.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
for _, lane in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'LIMIT', 0, ARGV[1])) do
  redis.call('ZREM', KEYS[2], lane)
  redis.call('XADD', KEYS[1], '*', 'lane', lane)
end
