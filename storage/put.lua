#!lua
-- KEYS: seen, ready, full, nothing, then of each update its mailbox, then of the first few, outbox, history,
-- epoch, state, pace of the chat, access, chats, settings of the chat and of the topic, heard. ARGV: most waiting, ids
-- kept, seconds they are kept, channel of interrupts, most that may wait beyond the others' bound (interrupts,
-- and urgent updates while memory is full) in all and of one sender, '' or for how many seconds memory counts as
-- full, a consumer that takes lanes at once, how many at most, most bytes of their histories to read; then of
-- each update its id, lane, text, 1 if it interrupts, else 0, and sender.
-- Returns what became of each, then of each lane that the consumer has now its entry, its name and, if it is
-- one of the first few's, what opened() does, else ''. A plain script, so that full memory refuses it as a
-- whole, at its first write; with another flag the same text still lets urgent updates in.
--include past
--include settings
--include heard
--include opened
local now, most, urgent = tonumber(redis.call('TIME')[1]), tonumber(ARGV[1]), ARGV[7] ~= ''
local most_ahead, most_of_one = tonumber(ARGV[5]), tonumber(ARGV[6])

-- After a quiet week Telegram counts from a random number, so old ids must be forgotten. Ids from the
-- future are from before the clock went back, and would stay too long.
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. now - ARGV[3])
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '(' .. now, '+inf', 'BYSCORE', 'LIMIT', 0, 1000)) do
  redis.call('ZADD', KEYS[1], now, id)
end

-- How many interrupts wait in a mailbox, and how many of them from one sender; how many others wait, without what
-- the bot is to say by itself, and whether the first one beyond the bound is already marked.
local function count(mailbox, sender)
  local ahead, of_one, others, flood = 0, 0, 0, false
  for _, entry in ipairs(redis.call('LRANGE', mailbox, 0, -1)) do
    local mark, from = entry:match('^%d+(.)([^{]*)')
    if mark == '*' then
      ahead = ahead + 1
      if from == sender then of_one = of_one + 1 end
    elseif mark ~= '#' then
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
  local entry = now .. mark .. update
  redis.call('RPUSH', mailbox, entry)
  if waiting == 0 then redis.call('XADD', KEYS[2], '*', 'lane', lane) end
  -- With what has come in: it may be done with before anybody can read it there.
  if interrupts then redis.call('PUBLISH', ARGV[4], lane .. ' ' .. entry) end
  return mark == '!' and 'flood' or 'stored'
end

if urgent then redis.call('SET', KEYS[3], now, 'EX', ARGV[7]) end

local number = (#ARGV - 10) / 5
local stored, places = {}, {}
for i = 1, number do
  local id, lane, update, interrupts, sender = unpack(ARGV, 5 * i + 6, 5 * i + 10)
  stored[i] = put(KEYS[i + 4], id, lane, update, interrupts == '1', sender)
  places[lane] = places[lane] or i
end
redis.call('ZREMRANGEBYRANK', KEYS[1], 0, -tonumber(ARGV[2]) - 1)

-- The oldest lanes that wait, which need not be those of these updates. Nothing may fail any more.
local found = {stored}
local consumer, room = ARGV[8], tonumber(ARGV[9])
local taken = room > 0 and redis.pcall('XREADGROUP', 'GROUP', 'workers', consumer, 'COUNT', room, 'STREAMS', KEYS[2], '>')
if not taken or taken.err then return found end
for _, entry in ipairs(taken[1][2]) do
  local lane, known, result = entry[2][1] == 'lane' and entry[2][2] or '', false
  local place = places[lane] or math.huge
  local first = 10 * place + number - 5
  if KEYS[first] then
    known, result = pcall(opened, 1, tonumber(ARGV[10]), KEYS[place + 4], unpack(KEYS, first, first + 9))
  end
  for _, one in ipairs({entry[1], lane, known and result or ''}) do found[#found + 1] = one end
end
return found
