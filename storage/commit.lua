#!lua flags=allow-oom
-- KEYS: ready, outbox, usage, history, epoch. ARGV: entry, consumer, reply, epoch ('new' forgets the
-- history), longest history, prompt tokens, completion tokens, messages...
-- Returns 1 when the reply is kept (now or before), 0 when the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return 0 end
if redis.call('HSETNX', KEYS[2], 'reply', ARGV[3]) == 0 then return 1 end
if ARGV[4] == 'new' then
  redis.call('DEL', KEYS[4])
  redis.call('INCR', KEYS[5])
elseif #ARGV > 7 then
  redis.call('HINCRBY', KEYS[3], 'answers', 1)
  redis.call('HINCRBY', KEYS[3], 'prompt_tokens', ARGV[6])
  redis.call('HINCRBY', KEYS[3], 'completion_tokens', ARGV[7])
  -- An answer to what was asked before a reset stays out of the history after it.
  if (redis.call('GET', KEYS[5]) or '0') == ARGV[4] then
    redis.call('RPUSH', KEYS[4], unpack(ARGV, 8))
    redis.call('LTRIM', KEYS[4], -tonumber(ARGV[5]), -1)
  end
end
return 1
