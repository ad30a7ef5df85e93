#!lua flags=no-writes
-- KEYS: history, epoch. ARGV: most bytes to read.
-- Returns the epoch, then the newest messages, oldest first: whole pairs from the end, so that
-- the cost does not grow with the history.
local messages = {redis.call('GET', KEYS[2]) or '0'}
local pairs_read, size = {}, 0
for last = redis.call('LLEN', KEYS[1]) - 1, 1, -2 do
  local pair = redis.call('LRANGE', KEYS[1], last - 1, last)
  size = size + #pair[1] + #pair[2]
  if size > tonumber(ARGV[1]) then break end
  pairs_read[#pairs_read + 1] = pair
end
for i = #pairs_read, 1, -1 do
  messages[#messages + 1] = pairs_read[i][1]
  messages[#messages + 1] = pairs_read[i][2]
end
return messages
