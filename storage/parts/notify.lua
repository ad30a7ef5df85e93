-- Puts what the bot is to say by itself behind all that waits in a lane. What it was to say there of the same setting
-- and the same person is dropped, unless that is the head, which may be in work.
local function notify(ready, mailbox, lane, notice)
  local function about(entry)
    local read, known = pcall(cjson.decode, entry:match('^%d+#({.*)') or '')
    return read and known.setting and tostring(known.setting) .. ' ' .. tostring(known.by)
  end
  local entry = redis.call('TIME')[1] .. '#' .. notice
  local same = about(entry)
  for _, other in ipairs(same and redis.call('LRANGE', mailbox, 1, -1) or {}) do
    -- From the end: the head may be equal.
    if about(other) == same then redis.call('LREM', mailbox, -1, other) end
  end
  if redis.call('RPUSH', mailbox, entry) == 1 then
    redis.call('XADD', ready, '*', 'lane', lane)
  end
end
