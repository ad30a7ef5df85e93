#!lua flags=allow-oom
-- KEYS: ready. ARGV: seconds, most, prefix of mailboxes, prefix of outboxes.
-- Returns the heads that wait for longer, in work or not, and marks them: each comes once.
-- The keys are undeclared, as they depend on what is queued; all are in the bot's own slot.
local now, heads = tonumber(redis.call('TIME')[1]), {}
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[2])) do
  local lane = entry[2][2]
  local head = redis.call('LINDEX', ARGV[3] .. lane, 0)
  if head and now - tonumber(head:match('^%d+')) >= tonumber(ARGV[1])
      and redis.call('HSETNX', ARGV[4] .. lane, 'told', 1) == 1 then
    heads[#heads + 1] = head
  end
end
return heads
