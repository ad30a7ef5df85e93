#!lua flags=no-writes
-- KEYS: ready, dead, parked. ARGV: most lanes to look at, milliseconds of a lease, prefix of mailboxes.
-- Returns for how many seconds the oldest head of a mailbox has waited for a worker, how many lanes
-- are queued, how many of them are in work, how many dead letters there are, and how many lanes are
-- parked.
-- The mailboxes are undeclared, as they depend on what is queued; all are in the bot's own slot.
local in_work, number = {}, 0
local pending = redis.pcall('XPENDING', KEYS[1], 'workers', '-', '+', ARGV[1])
if not pending.err then  -- an error: there is no group yet
  for _, claim in ipairs(pending) do
    if claim[3] < tonumber(ARGV[2]) then
      in_work[claim[1]], number = true, number + 1
    end
  end
end
local now, oldest = tonumber(redis.call('TIME')[1]), 0
for _, entry in ipairs(redis.call('XRANGE', KEYS[1], '-', '+', 'COUNT', ARGV[1])) do
  local head = redis.pcall('LINDEX', ARGV[3] .. entry[2][2], 0)
  local since = type(head) == 'string' and head:match('^%d+')
  if since and not in_work[entry[1]] then oldest = math.max(oldest, now - since) end
end

-- A key of another type is set aside by whoever writes to it; until then it counts as nothing.
local function number_or_none(found) return type(found) == 'number' and found or 0 end
return {oldest, redis.call('XLEN', KEYS[1]), number, number_or_none(redis.pcall('LLEN', KEYS[2])),
  number_or_none(redis.pcall('ZCARD', KEYS[3]))}
