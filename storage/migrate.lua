#!lua flags=allow-oom
-- KEYS: ready, successors, nothing; mailbox and outbox of a group; its history, epoch, state, forgotten, usage,
-- settings, heard and unheard, and the same of the supergroup that it has become; access, chats, used, declined. ARGV:
-- entry, consumer, group, supergroup, whose lane the entry is ('group' or 'supergroup'), most messages and most bytes
-- of a history.
-- Moves everything kept of the group and returns 1; returns 0 if something waits there that must be answered
-- first, apart from the entry's own update; nothing if the lane is not ours. Safe to repeat: what has moved is
-- gone.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local most_messages, most_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])
local old_history, old_epoch, old_state, old_forgotten, old_usage, old_settings, old_heard, old_unheard = unpack(KEYS, 6, 13)
local history, epoch, state, forgotten, usage, settings, heard, unheard = unpack(KEYS, 14)

-- Anything that can fail because of a key's type comes before the first write.
local waiting, joined = redis.call('LLEN', KEYS[4]), redis.call('HGET', KEYS[5], 'joined')
if ARGV[5] == 'group' then waiting = waiting - 1 - ((joined or ''):match('^%d+$') or 0) end
if waiting > 0 then return 0 end
local said, told = redis.call('LRANGE', old_history, 0, -1), redis.call('HGET', old_state, 'told')
local spent, was_forgotten = redis.call('HGETALL', old_usage), redis.call('LLEN', old_forgotten)
local chosen = redis.call('HGETALL', old_settings)
local around, left_out = redis.call('ZRANGE', old_heard, 0, -1, 'WITHSCORES'), redis.call('HGETALL', old_unheard)
local was_reset, is_forgotten = redis.call('GET', epoch), redis.call('LLEN', forgotten)
local access, there = unpack(redis.call('HMGET', KEYS[22], ARGV[3], ARGV[4]))
redis.call('GET', old_epoch)
redis.call('LLEN', history)
redis.call('HLEN', state)
redis.call('HLEN', usage)
redis.call('HLEN', unheard)
redis.call('ZCARD', heard)
local version, old_version = redis.call('HGET', settings, 'version'), redis.call('HGET', old_settings, 'version')
local chat, last = redis.call('HGET', KEYS[23], ARGV[3]), redis.call('ZSCORE', KEYS[24], ARGV[3])
local declined = redis.call('ZSCORE', KEYS[25], ARGV[3])
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])

-- Puts older entries in front of a list: whole exchanges, from the newest back, within the bounds.
local function prepend(list, older)
  local length, bytes = redis.call('LLEN', list), 0
  for _, entry in ipairs(redis.call('LRANGE', list, 0, -1)) do bytes = bytes + #entry end
  for last = #older, 2, -2 do
    length, bytes = length + 2, bytes + #older[last] + #older[last - 1]
    if length > most_messages or bytes > most_bytes then return end
    redis.call('LPUSH', list, older[last], older[last - 1])
  end
end

-- A reset in the supergroup also meant what had been said in the group.
if not was_reset then
  prepend(history, said)
  if told then redis.call('HSET', state, 'told', told) end
  if was_forgotten > 0 then redis.call('RENAME', old_forgotten, forgotten) end
elseif is_forgotten > 0 then
  prepend(forgotten, said)
end
-- A group that was let in or shut out stays so, and shut out if the two differ.
if access then
  if access:find('^deny') or not there then redis.call('HSET', KEYS[22], ARGV[4], access) end
  local time = redis.call('TIME')
  redis.call('HDEL', KEYS[22], ARGV[3])
  redis.call('HSET', KEYS[22], 'version', time[1] .. '.' .. time[2])
end
-- What the supergroup has chosen by now counts; a menu of either is an old one.
for i = 1, #chosen, 2 do redis.call('HSETNX', settings, chosen[i], chosen[i + 1]) end
if #chosen > 0 then
  redis.call('HSET', settings, 'version', math.max(tonumber(version) or 0, tonumber(old_version) or 0) + 1)
end
for i = 1, #left_out, 2 do redis.call('HSET', unheard, left_out[i], left_out[i + 1]) end
-- Messages have other numbers in the supergroup; what was said before comes before all of them.
if not was_reset and #around > 0 then
  for i = 1, #around, 2 do redis.call('ZADD', heard, around[i + 1] - 2 ^ 40, around[i]) end
  redis.call('EXPIRE', heard, 86400)
end
for i = 1, #spent, 2 do redis.pcall('HINCRBY', usage, spent[i], spent[i + 1]) end
-- That the bot had left the group, as Telegram may say of it then, is not true of the supergroup.
local read, known = pcall(cjson.decode, chat or '')
if read and type(known) == 'table' and known.away == '' then redis.call('HSETNX', KEYS[23], ARGV[4], chat) end
if last then redis.call('ZADD', KEYS[24], 'GT', last, ARGV[4]) end
if declined then redis.call('ZADD', KEYS[25], declined, ARGV[4]) end
redis.call('ZREM', KEYS[25], ARGV[3])
redis.call('HDEL', KEYS[23], ARGV[3])
redis.call('ZREM', KEYS[24], ARGV[3])
-- The rest of the state is numbers of messages, and those are different in the supergroup.
redis.call('DEL', old_history, old_epoch, old_state, old_forgotten, old_usage, old_settings, old_heard,
  old_unheard)
return 1
