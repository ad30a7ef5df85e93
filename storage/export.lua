#!lua flags=no-writes
-- KEYS: any key. Returns its type, when it expires (ms since 1970; -1: never), and what it holds, flat;
-- or nothing if it is gone.
local read = {
  string = function(key) return {redis.call('GET', key)} end,
  list = function(key) return redis.call('LRANGE', key, 0, -1) end,
  hash = function(key) return redis.call('HGETALL', key) end,
  zset = function(key) return redis.call('ZRANGE', key, 0, -1, 'WITHSCORES') end,
}
local kind = redis.call('TYPE', KEYS[1]).ok
if kind == 'none' then return nil end
return {kind, redis.call('PEXPIRETIME', KEYS[1]), read[kind] and read[kind](KEYS[1]) or {kind}}
