-- KEYS: history, turns. ARGV: turn, epoch, longest, messages...
-- Returns 1 when the turn stands in the history (now, or already), 0 when it was cleared.
if (redis.call('HGET', KEYS[2], 'epoch') or '0') ~= ARGV[2] then return 0 end
if redis.call('HGET', KEYS[2], 'last') == ARGV[1] then return 1 end
redis.call('RPUSH', KEYS[1], unpack(ARGV, 4))
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[3]), -1)
redis.call('HSET', KEYS[2], 'last', ARGV[1])
return 1
