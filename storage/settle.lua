#!lua flags=allow-oom
-- KEYS: lease, announcement, announcing, chats. ARGV: name of the process, chat, what became of it ('sent',
-- 'refused', 'unsure', 'again' or 'left'), what is known of it now ('' if that has not changed), and before.
-- Notes it, once, unless another chat is being told. Returns nothing if the lease is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end
if redis.call('HGET', KEYS[2], 'chat') ~= ARGV[2] then return 0 end
redis.call('ZCARD', KEYS[3])  -- fails before anything is written
if ARGV[4] ~= '' and redis.call('HGET', KEYS[4], ARGV[2]) == ARGV[5] then
  redis.call('HSET', KEYS[4], ARGV[2], ARGV[4])
end
redis.call('HDEL', KEYS[2], 'chat')
local outcome, since = ARGV[3], tonumber(redis.call('HGET', KEYS[2], 'since') or math.huge)
-- After a day of trying it is given up.
if outcome == 'again' and redis.call('TIME')[1] - since >= 86400 then outcome = 'refused' end
if outcome == 'again' then
  -- Behind all others, and behind those that went there before.
  redis.call('ZADD', KEYS[3], 1 / (1 + redis.call('HINCRBY', KEYS[2], 'again', 1)), ARGV[2])
elseif outcome ~= 'left' then
  redis.call('HINCRBY', KEYS[2], outcome, 1)
end
return 1
