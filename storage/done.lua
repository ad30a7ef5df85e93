#!lua flags=allow-oom
-- KEYS: ready, mailbox, outbox, dead, state, nothing, chats, used. ARGV: entry, consumer, lane, reason
-- ('' unless the head is to be a dead letter), most dead letters, messages of the answer ('' if it is
-- none), chat to note ('' if none), what is known of it now ('' if that has not changed), what it must
-- have been before ('*': whatever it was), 1 if it was used, channel of interrupts ('' unless what is done in its
-- topics must stop).
-- Removes the head from its mailbox, with what was joined to it. If more waits there, the lane goes to the
-- end of the queue under a new entry, so that an entry's id never comes back. Does nothing if the lane is
-- not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return end
-- Anything that can fail because of a key's type comes before the first write.
local outbox = redis.call('HMGET', KEYS[3], 'joined', 'told')
local answers = ARGV[6] ~= '' and redis.call('HEXISTS', KEYS[5], 'asked') == 1
redis.call('LLEN', KEYS[4])
redis.call('HLEN', KEYS[7])
redis.call('ZCARD', KEYS[8])
local heads = redis.call('LPOP', KEYS[2], 1 + ((outbox[1] or ''):match('^%d+$') or 0)) or {}
redis.call('DEL', KEYS[3])
for _, head in ipairs(heads) do
  if ARGV[4] ~= '' then
    redis.call('RPUSH', KEYS[4], cjson.encode({reason = ARGV[4], update = head:match('^%d+[^{]+({.*)$') or head}))
    redis.call('LTRIM', KEYS[4], -tonumber(ARGV[5]), -1)
  end
end
if answers then redis.call('HSET', KEYS[5], 'answer', ARGV[6]) end
if ARGV[7] ~= '' then
  local same = ARGV[9] == '*' or (redis.call('HGET', KEYS[7], ARGV[7]) or '') == ARGV[9]
  if ARGV[8] ~= '' and same then redis.call('HSET', KEYS[7], ARGV[7], ARGV[8]) end
  -- A chat that is new is among the last used.
  local time = redis.call('TIME')[1]
  redis.call('ZADD', KEYS[8], ARGV[10] == '1' and 'CH' or 'NX', time, ARGV[7])
  if ARGV[11] ~= '' then redis.call('PUBLISH', ARGV[11], ARGV[3]) end
end
redis.call('XACK', KEYS[1], 'workers', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('XADD', KEYS[1], '*', 'lane', ARGV[3])
  -- The notice that it takes longer is not repeated until the lane has been idle.
  if outbox[2] then redis.call('HSET', KEYS[3], 'told', outbox[2]) end
end
