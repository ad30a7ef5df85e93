#!lua flags=allow-oom
-- KEYS: ready, successors, nothing; mailbox and outbox of a group; its history, epoch, state, forgotten and
-- usage, and the same of the supergroup that it has become. ARGV: entry, consumer, group, supergroup, whose
-- lane the entry is ('group' or 'supergroup'), most messages and most bytes of a history.
-- Moves everything kept of the group and returns 1; returns 0 if something waits there that must be answered
-- first, apart from the entry's own update; nothing if the lane is not ours. Safe to repeat: what has moved is
-- gone.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local most_messages, most_bytes = tonumber(ARGV[6]), tonumber(ARGV[7])
local old_history, old_epoch, old_state, old_forgotten, old_usage = unpack(KEYS, 6, 10)
local history, epoch, state, forgotten, usage = unpack(KEYS, 11, 15)

-- Anything that can fail because of a key's type comes before the first write.
local waiting, joined = redis.call('LLEN', KEYS[4]), redis.call('HGET', KEYS[5], 'joined')
if ARGV[5] == 'group' then waiting = waiting - 1 - ((joined or ''):match('^%d+$') or 0) end
if waiting > 0 then return 0 end
local said, told = redis.call('LRANGE', old_history, 0, -1), redis.call('HGET', old_state, 'told')
local spent, was_forgotten = redis.call('HGETALL', old_usage), redis.call('LLEN', old_forgotten)
local was_reset, is_forgotten = redis.call('GET', epoch), redis.call('LLEN', forgotten)
redis.call('GET', old_epoch)
redis.call('LLEN', history)
redis.call('HLEN', state)
redis.call('HLEN', usage)
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
for i = 1, #spent, 2 do redis.pcall('HINCRBY', usage, spent[i], spent[i + 1]) end
-- The rest of the state is numbers of messages, and those are different in the supergroup.
redis.call('DEL', old_history, old_epoch, old_state, old_forgotten, old_usage)
return 1
