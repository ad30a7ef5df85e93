#!lua
-- KEYS: seen, ready, mailbox, interrupt. ARGV: update id, lane, update, most waiting, ids kept,
-- channel of interrupts ('' when it is none).
-- Plain, so that full memory refuses it as a whole, at its first write.
local now = redis.call('TIME')
if redis.call('ZADD', KEYS[1], 'NX', now[1], ARGV[1]) == 0 then return 'known' end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[5]) - 1)
local waiting, most = redis.call('LLEN', KEYS[3]), tonumber(ARGV[4])
local interrupts, flood = ARGV[6] ~= '', false
if interrupts then
  if waiting > most + 10 then return 'dropped' end
elseif waiting >= most then
  for _, beyond in ipairs(redis.call('LRANGE', KEYS[3], most, -1)) do
    if beyond:find('^%d+!') then return 'dropped' end
  end
  flood = true
end
-- An entry is the time of its coming, a mark, and the update.
local entry = now[1] .. (flood and '!' or ' ') .. ARGV[3]
redis.call('RPUSH', KEYS[3], entry)
if waiting == 0 then redis.call('XADD', KEYS[2], '*', 'lane', ARGV[2]) end
if interrupts then
  redis.call('SET', KEYS[4], entry)
  redis.call('PUBLISH', ARGV[6], ARGV[2])
end
return flood and 'flood' or 'stored'
