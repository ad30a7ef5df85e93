#!lua flags=allow-oom
-- KEYS: ready, mailbox, outbox, interrupt, dead. ARGV: entry, consumer, lane, reason ('' unless
-- the head is to be a dead letter), most dead letters.
-- The head leaves its mailbox; if more waits there, the lane goes to the end of the queue under
-- a new entry, so that an entry's id never comes back. Returns 0 when the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return 0 end
local head = redis.call('LPOP', KEYS[2])
local told = redis.call('HGET', KEYS[3], 'told')
redis.call('DEL', KEYS[3])
if head and head == redis.call('GET', KEYS[4]) then redis.call('DEL', KEYS[4]) end
if ARGV[4] ~= '' then
  redis.call('RPUSH', KEYS[5], cjson.encode({reason = ARGV[4], update = head:match('^%d+.(.*)$')}))
  redis.call('LTRIM', KEYS[5], -tonumber(ARGV[5]), -1)
end
redis.call('XACK', KEYS[1], 'workers', ARGV[1])
redis.call('XDEL', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('XADD', KEYS[1], '*', 'lane', ARGV[3])
  -- Who was told that it takes longer is not told again before the lane has been idle.
  if told then redis.call('HSET', KEYS[3], 'told', told) end
end
return 1
