#!lua flags=allow-oom
-- KEYS: ready, outbox, usage, history, epoch, state, forgotten, nothing. ARGV: entry, consumer, reply,
-- what to do with the history: 'keep' or 'replace' (then epoch, longest history, prompt tokens,
-- completion tokens, number of the question, 1 if the person is told what is left out, messages...),
-- 'forget', 'undo', 'restore' or ''.
-- Returns 1 when the reply is kept (now or before), 0 when the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return 0 end
if redis.call('HSETNX', KEYS[2], 'reply', ARGV[3]) == 0 then return 1 end
local usage, history, epoch, state, forgotten = unpack(KEYS, 3)
local act = ARGV[4]
if act == 'keep' or act == 'replace' then
  redis.call('HINCRBY', usage, 'answers', 1)
  redis.call('HINCRBY', usage, 'prompt_tokens', ARGV[7])
  redis.call('HINCRBY', usage, 'completion_tokens', ARGV[8])
  -- An answer to what was asked before a reset stays out of the history after it.
  if (redis.call('GET', epoch) or '0') == ARGV[5] then
    if act == 'replace' then redis.call('LTRIM', history, 0, -3) end
    redis.call('RPUSH', history, unpack(ARGV, 11))
    redis.call('LTRIM', history, -tonumber(ARGV[6]), -1)
    redis.call('HSET', state, 'asked', ARGV[9])
    redis.call('HDEL', state, 'answer')
    if ARGV[10] == '1' then redis.call('HSET', state, 'told', 1) end
  end
elseif act == 'forget' then
  redis.call('INCR', epoch)
  redis.call('DEL', state)
  if redis.call('EXISTS', history) == 1 then
    redis.call('RENAME', history, forgotten)
    redis.call('EXPIRE', forgotten, 1800)
  end
elseif act == 'undo' then
  redis.call('LTRIM', history, 0, -3)
  redis.call('HDEL', state, 'asked', 'answer')
elseif act == 'restore' and redis.call('EXISTS', history) < redis.call('EXISTS', forgotten) then
  redis.call('RENAME', forgotten, history)
  redis.call('PERSIST', history)
end
return 1
