#!lua
-- KEYS: seen, ready, nothing, then of each update its mailbox. ARGV: most waiting, ids kept, seconds
-- they are kept, channel of interrupts, '' or how many urgent ones may wait while memory is full; then
-- of each update its id, lane, text, and 1 if it interrupts, 0 if not.
-- Returns what became of each. Plain, so that full memory refuses it as a whole, at its first write;
-- the same text under another flag lets urgent updates in all the same.
local now, most, urgent = tonumber(redis.call('TIME')[1]), tonumber(ARGV[1]), tonumber(ARGV[5])

-- After a quiet week Telegram counts from a random number: old ones must not be known any more.
-- What came in the future did so before the clock went back, and would stay for too long.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - ARGV[3])
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '(' .. now, '+inf', 'BYSCORE', 'LIMIT', 0, 1000)) do
  redis.call('ZADD', KEYS[1], 'XX', now, id)
end

local function count(mailbox, first, mark)
  local number = 0
  for _, entry in ipairs(redis.call('LRANGE', mailbox, first, -1)) do
    if entry:match('^%d+(.)') == mark then number = number + 1 end
  end
  return number
end

local function put(mailbox, id, lane, update, interrupts)
  if redis.call('ZSCORE', KEYS[1], id) then return 'known' end
  if urgent and count(mailbox, 0, '*') >= urgent then return 'full' end
  local waiting, mark = redis.call('LLEN', mailbox), ' '  -- fails before anything is written
  redis.call('ZADD', KEYS[1], now, id)
  if interrupts or urgent then
    if waiting > most + 10 then return 'dropped' end
    mark = '*'
  elseif waiting >= most then
    if count(mailbox, most, '!') > 0 then return 'dropped' end
    mark = '!'
  end
  -- An entry is the time of its coming, a mark, and the update.
  redis.call('RPUSH', mailbox, now .. mark .. update)
  if waiting == 0 then redis.call('XADD', KEYS[2], '*', 'lane', lane) end
  if interrupts then redis.call('PUBLISH', ARGV[4], lane) end
  return mark == '!' and 'flood' or 'stored'
end

local found = {}
for i = 1, #KEYS - 3 do
  local id, lane, update, interrupts = unpack(ARGV, 4 * i + 2, 4 * i + 5)
  found[i] = put(KEYS[i + 3], id, lane, update, interrupts == '1')
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[2]) - 1)
return found
