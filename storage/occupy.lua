#!lua flags=allow-oom
-- KEYS: places. ARGV: number of places, seconds of the lease, tokens...
-- Takes or renews a place for each token, as long as there are any. Returns how many are free then, and the
-- tokens that have one. Places whose leases have ended are free, and so are those whose leases end too late:
-- the clock went back, and their holders may be dead.
local now, number, lease = tonumber(redis.call('TIME')[1]), tonumber(ARGV[1]), tonumber(ARGV[2])
if redis.call('TYPE', KEYS[1]).ok ~= 'zset' then redis.call('DEL', KEYS[1]) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. now + lease, '+inf')
local found, taken = {0}, redis.call('ZCARD', KEYS[1])
for i = 3, #ARGV do
  local is_ours = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if is_ours or taken < number then
    if not is_ours then taken = taken + 1 end
    redis.call('ZADD', KEYS[1], now + lease, ARGV[i])
    found[#found + 1] = ARGV[i]
  end
end
found[1] = number - taken
return found
