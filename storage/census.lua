#!lua flags=no-writes
-- KEYS: ready, dead. ARGV: most lanes to look at, prefix of mailboxes.
-- Returns for how many seconds the oldest head of a mailbox has waited, how many lanes are queued,
-- how many of them are in work, and how many dead letters there are.
-- The mailboxes are undeclared, as they depend on what is queued; all are in the bot's own slot.
local now, oldest = tonumber(redis.call('TIME')[1]), 0
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])) do
  local head = redis.call('LINDEX', ARGV[2] .. entry[2][2], 0)
  if head then oldest = math.max(oldest, now - tonumber(head:match('^%d+'))) end
end
local pending = redis.pcall('XPENDING', KEYS[1], 'workers')  -- an error where nobody has begun yet
return {oldest, redis.call('XLEN', KEYS[1]), pending.err and 0 or pending[1],
  redis.call('LLEN', KEYS[2])}
