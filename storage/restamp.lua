#!lua flags=allow-oom
-- KEYS: ready, parked. ARGV: the time of the last call, in seconds. Returns the time now.
-- If the server's clock went back, claims made "in the future" would never grow stale, and parked lanes
-- would wait too long. So every claim is renewed for its owner, and parked lanes go on.
local now = redis.call('TIME')[1]
if tonumber(now) < tonumber(ARGV[1]) then
  for _, claim in ipairs(redis.call('XPENDING', KEYS[1], 'workers', '-', '+', 100000)) do
    redis.call('XCLAIM', KEYS[1], 'workers', claim[2], 0, claim[1], 'JUSTID')
  end
  for _, lane in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
    redis.call('ZADD', KEYS[2], 0, lane)
  end
end
return now
