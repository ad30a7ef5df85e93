#!lua flags=no-writes
-- KEYS: history, epoch, state. ARGV: most bytes to read.
-- Returns the epoch, how many messages there are, the last exchange's number and the messages of its
-- answer, whether the person was told what is left out, how often it was answered before, the number up
-- to which edits are ignored, then the newest messages, oldest first: whole pairs from the end, so that
-- the cost does not grow with the history.
local state = redis.call('HMGET', KEYS[3], 'asked', 'answer', 'told', 'revision', 'floor')
local length = redis.call('LLEN', KEYS[1])
local found = {redis.call('GET', KEYS[2]) or '0', length, state[1] or 0, state[2] or '', state[3] or '',
  state[4] or 0, state[5] or 0}
local pairs_read, size = {}, 0
for last = length - 1, 1, -2 do
  local pair = redis.call('LRANGE', KEYS[1], last - 1, last)
  size = size + #pair[1] + #pair[2]
  if size > tonumber(ARGV[1]) then break end
  pairs_read[#pairs_read + 1] = pair
end
for i = #pairs_read, 1, -1 do
  found[#found + 1] = pairs_read[i][1]
  found[#found + 1] = pairs_read[i][2]
end
return found
