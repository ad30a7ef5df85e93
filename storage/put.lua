#!lua
-- KEYS: seen, ready, then of each update its mailbox and interrupt. ARGV: most waiting, ids kept,
-- channel of interrupts, then of each update its id, lane, text, and 1 if it interrupts, 0 if not.
-- Returns what became of each. Plain, so that full memory refuses it as a whole, at its first write.
local now, most = redis.call('TIME')[1], tonumber(ARGV[1])

local function put(mailbox, interrupt, id, lane, update, interrupts)
  if redis.call('ZADD', KEYS[1], 'NX', now, id) == 0 then return 'known' end
  local waiting, flood = redis.call('LLEN', mailbox), false
  if interrupts then
    if waiting > most + 10 then return 'dropped' end
  elseif waiting >= most then
    for _, beyond in ipairs(redis.call('LRANGE', mailbox, most, -1)) do
      if beyond:find('^%d+!') then return 'dropped' end
    end
    flood = true
  end
  -- An entry is the time of its coming, a mark, and the update.
  local entry = now .. (flood and '!' or ' ') .. update
  redis.call('RPUSH', mailbox, entry)
  if waiting == 0 then redis.call('XADD', KEYS[2], '*', 'lane', lane) end
  if interrupts then
    redis.call('SET', interrupt, entry)
    redis.call('PUBLISH', ARGV[3], lane)
  end
  return flood and 'flood' or 'stored'
end

local found = {}
for i = 1, #KEYS / 2 - 1 do
  local id, lane, update, interrupts = unpack(ARGV, 4 * i, 4 * i + 3)
  found[i] = put(KEYS[2 * i + 1], KEYS[2 * i + 2], id, lane, update, interrupts == '1')
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[2]) - 1)
return found
