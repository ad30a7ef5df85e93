-- Returns a conversation's epoch, how many messages there are, the last exchange's number and the messages of
-- its answer, whether the person was told what is left out, how often it was answered before, the number up
-- to which edits are ignored, then the newest messages, oldest first: whole pairs from the end, as many as
-- fit the bytes, so that the cost does not grow with the history.
local function past(history, epoch, state, most_bytes)
  local noted = redis.call('HMGET', state, 'asked', 'answer', 'told', 'revision', 'floor')
  local length = redis.call('LLEN', history)
  local found = {redis.call('GET', epoch) or '0', length, noted[1] or 0, noted[2] or '', noted[3] or '',
    noted[4] or 0, noted[5] or 0}
  local pairs_read, size = {}, 0
  for last = length - 1, 1, -2 do
    local pair = redis.call('LRANGE', history, last - 1, last)
    size = size + #pair[1] + #pair[2]
    if size > most_bytes then break end
    pairs_read[#pairs_read + 1] = pair
  end
  for i = #pairs_read, 1, -1 do
    found[#found + 1] = pairs_read[i][1]
    found[#found + 1] = pairs_read[i][2]
  end
  return found
end
