#!lua flags=allow-oom
-- KEYS: nothing, then of each conversation settings of its chat and of its topic, heard, unheard, state. ARGV: most
-- bytes of what is heard; then of each conversation how many messages were said there, and of each its number, 1
-- if it was edited, 1 if the bot answers it where it always answers, whose it is, and its entry, '' for none.
-- Keeps what was said where something is heard, once people have been told so, and removes all where nothing is.
-- Returns of each conversation when the bot answers, its own names, and how much it hears. Safe to repeat: it knows
-- the numbers that it has.
--include settings
local now, most_bytes, place, found = tonumber(redis.call('TIME')[1]), tonumber(ARGV[1]), 2, {}

local function chosen(of_chat, of_topic)
  local flat, read = settings(of_chat, of_topic), {}
  for i = 1, #flat, 2 do read[flat[i]] = flat[i + 1] end
  local most = math.min(tonumber((read.hears or ''):match('^%d+$') or 0), 50)
  return read.when or '', read.names or '', most, read.untold
end

-- An edit takes the place of what is there, and is as old.
local function keep(heard, number, edited, entry)
  local known, arrived = redis.call('ZRANGE', heard, number, number, 'BYSCORE')[1], now
  if (known ~= nil) ~= edited then return end
  if edited then
    arrived = known:match('^%d+') or now
    redis.call('ZREM', heard, known)
  end
  redis.call('ZADD', heard, number, arrived .. ' ' .. number .. ' ' .. entry)
end

-- What is too much or too old goes, the oldest first.
local function trim(heard, most)
  redis.call('ZREMRANGEBYRANK', heard, 0, -most - 1)
  local said, bytes = redis.call('ZRANGE', heard, 0, -1), 0
  for i = #said, 1, -1 do
    bytes = bytes + #said[i]
    if bytes > most_bytes or now - (said[i]:match('^%d+') or 0) >= 86400 then
      redis.call('ZREM', heard, said[i])
    end
  end
  redis.call('EXPIRE', heard, 86400)
end

for i = 2, #KEYS, 5 do
  local of_chat, of_topic, heard, unheard, state = unpack(KEYS, i, i + 4)
  local when, names, most, untold = chosen(of_chat, of_topic)
  local last = place + 5 * ARGV[place]
  if most < 1 then
    redis.call('DEL', heard)
  elseif not untold then
    local floor = redis.pcall('HGET', state, 'floor')
    floor = type(floor) == 'string' and tonumber(floor) or 0
    for j = place + 1, last, 5 do
      local number, edited, always, person, entry = unpack(ARGV, j, j + 4)
      local answered = always == '1' and when == 'always'
      local forgotten = tonumber(number) <= floor
      if entry ~= '' and not answered and not forgotten and redis.call('HEXISTS', unheard, person) == 0 then
        keep(heard, number, edited == '1', entry)
      end
    end
    trim(heard, most)
  end
  found[#found + 1] = {when, names, most}
  place = last + 1
end
return found
