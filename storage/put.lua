#!lua
-- KEYS: seen, ready, full, nothing, then of each update its mailbox. ARGV: most waiting, ids kept, seconds
-- they are kept, channel of interrupts, most that may wait beyond the others' bound (interrupts, and urgent
-- updates while memory is full) in all and of one sender, '' or for how many seconds memory counts as full;
-- then of each update its id, lane, text, 1 if it interrupts, else 0, and sender.
-- Returns what became of each. A plain script, so that full memory refuses it as a whole, at its first
-- write; with another flag the same text still lets urgent updates in.
local now, most, urgent = tonumber(redis.call('TIME')[1]), tonumber(ARGV[1]), ARGV[7] ~= ''
local most_ahead, most_of_one = tonumber(ARGV[5]), tonumber(ARGV[6])

-- After a quiet week Telegram counts from a random number, so old ids must be forgotten. Ids from the
-- future are from before the clock went back, and would stay too long.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - ARGV[3])
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '(' .. now, '+inf', 'BYSCORE', 'LIMIT', 0, 1000)) do
  redis.call('ZADD', KEYS[1], now, id)
end

-- How many interrupts wait in a mailbox, and how many of them from one sender; how many others wait, and
-- whether the first one beyond the bound is already marked.
local function count(mailbox, sender)
  local ahead, of_one, others, flood = 0, 0, 0, false
  for _, entry in ipairs(redis.call('LRANGE', mailbox, 0, -1)) do
    local mark, from = entry:match('^%d+(.)([^{]*)')
    if mark == '*' then
      ahead = ahead + 1
      if from == sender then of_one = of_one + 1 end
    else
      others = others + 1
      flood = flood or mark == '!' and others > most
    end
  end
  return ahead, of_one, others, flood
end

local function put(mailbox, id, lane, update, interrupts, sender)
  if redis.call('ZSCORE', KEYS[1], id) then return 'known' end
  local waiting, mark = redis.call('LLEN', mailbox), ' '  -- fails before anything is written
  local ahead, of_one, others, flood = 0, 0, 0, false
  if waiting >= math.min(most, most_of_one) then ahead, of_one, others, flood = count(mailbox, sender) end
  local crowded = ahead >= most_ahead or of_one >= most_of_one
  if urgent and crowded then return 'full' end
  redis.call('ZADD', KEYS[1], now, id)
  if interrupts or urgent then
    if crowded then return 'dropped' end
    mark = '*' .. sender
  elseif others >= most then
    if flood then return 'dropped' end
    mark = '!'
  end
  -- An entry is its time of arrival, a mark, the sender if it goes ahead, and the update.
  redis.call('RPUSH', mailbox, now .. mark .. update)
  if waiting == 0 then redis.call('XADD', KEYS[2], '*', 'lane', lane) end
  if interrupts then redis.call('PUBLISH', ARGV[4], lane) end
  return mark == '!' and 'flood' or 'stored'
end

if urgent then redis.call('SET', KEYS[3], now, 'EX', ARGV[7]) end

local found = {}
for i = 1, #KEYS - 4 do
  local id, lane, update, interrupts, sender = unpack(ARGV, 5 * i + 3, 5 * i + 7)
  found[i] = put(KEYS[i + 4], id, lane, update, interrupts == '1', sender)
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[2]) - 1)
return found
