#!lua flags=allow-oom
-- KEYS: places. ARGV: token, number of places, seconds of the lease.
-- Takes or renews a place; returns 0 if all are taken. Places whose leases have ended are free, and so are
-- those whose leases end too late: the clock went back, and their holders may be dead.
local now = tonumber(redis.call('TIME')[1])
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. now + ARGV[3], '+inf')
if not redis.call('ZSCORE', KEYS[1], ARGV[1])
    and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[3]), ARGV[1])
return 1
