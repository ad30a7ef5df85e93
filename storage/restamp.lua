#!lua flags=allow-oom
-- KEYS: ready, parked. ARGV: what the time was before, in seconds. Returns what it is now.
-- When the server's clock went back, what was claimed "in the future" would never grow stale, and what
-- is parked would wait too long. Every claim then begins anew, with whoever has it; parked lanes go on.
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
