#!lua flags=allow-oom
-- KEYS: ready. ARGV: seconds, most lanes to look at, most to return, entry to go on after ('-' to begin
-- with the first), prefix of mailboxes, prefix of outboxes.
-- Returns the entry to go on after, then lanes and heads of those that have waited longer, in work or not,
-- and marks them, so that each comes once.
-- The keys are undeclared, as they depend on what is queued; all are in the bot's own slot.
local now, found = tonumber(redis.call('TIME')[1]), {'-'}
local from = ARGV[4] == '-' and '-' or '(' .. ARGV[4]
local entries = redis.call('XRANGE', KEYS[1], from, '+', 'COUNT', ARGV[2])
for place, entry in ipairs(entries) do
  local lane = entry[2][2]
  -- A key of the wrong type is its own lane's problem.
  local head = redis.pcall('LINDEX', ARGV[5] .. lane, 0)
  -- Behind what the bot says by itself, a question is told of once it is the head.
  local since = type(head) == 'string' and not head:find('^%d+#') and head:match('^%d+')
  if since and now - since >= tonumber(ARGV[1])
      and redis.pcall('HSETNX', ARGV[6] .. lane, 'told', 1) == 1 then
    found[#found + 1] = lane
    found[#found + 1] = head
  end
  local is_full = #found > 2 * tonumber(ARGV[3])
  if is_full or place == tonumber(ARGV[2]) then
    found[1] = entry[1]
    break
  end
end
return found
