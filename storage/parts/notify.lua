-- Puts what the bot is to say by itself behind all that waits in a lane, or in the place of what it was to say there of
-- the same setting, unless that is the head, which may be in work.
local function notify(ready, mailbox, lane, notice)
  local function setting(entry)
    local read, known = pcall(cjson.decode, entry:match('^%d+#({.*)') or '')
    return read and known.setting
  end
  local entry = redis.call('TIME')[1] .. '#' .. notice
  local about = setting(entry)
  for i, other in ipairs(about and redis.call('LRANGE', mailbox, 1, -1) or {}) do
    if setting(other) == about then
      redis.call('LSET', mailbox, i, entry)
      return
    end
  end
  if redis.call('RPUSH', mailbox, entry) == 1 then
    redis.call('XADD', ready, '*', 'lane', lane)
  end
end
