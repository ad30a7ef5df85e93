#!lua flags=allow-oom
-- KEYS: ready, successors, nothing; then mailbox, outbox, history, epoch, state, forgotten and usage of a
-- group, and the same of the supergroup that it has become. ARGV: entry, consumer, group, supergroup,
-- whose lane the entry is and what is to move: 'inherit' (the supergroup's; all that is kept of the
-- group, unless something waits there), 'leave' (the group's; that and what waits, but not the head,
-- which is dealt with) or 'forward' (the group's; with the head); channel of interrupts, most messages and
-- most bytes of a history.
-- Returns 1 when nothing of the group is left to wait for, 0 when there is; nothing when the lane is not
-- ours. What is moved once is not there to be moved again.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local act, most_messages, most_bytes = ARGV[5], tonumber(ARGV[7]), tonumber(ARGV[8])
local old_mailbox, old_outbox, old_history, old_epoch, old_state, old_forgotten, old_usage = unpack(KEYS, 4, 10)
local mailbox, outbox, history, epoch, state, forgotten, usage = unpack(KEYS, 11, 17)

-- What may fail for a key's being of another type comes before anything is written.
local moved_before = redis.call('HEXISTS', KEYS[2], ARGV[3])
if act == 'inherit' and redis.call('LLEN', old_mailbox) > 0 then return moved_before end
local leaving, waiting = redis.call('LRANGE', old_mailbox, 0, -1), redis.call('LRANGE', mailbox, 0, -1)
local old_joined, joined = redis.call('HGET', old_outbox, 'joined'), redis.call('HGET', outbox, 'joined')
local said, told = redis.call('LRANGE', old_history, 0, -1), redis.call('HGET', old_state, 'told')
local spent, was_forgotten = redis.call('HGETALL', old_usage), redis.call('LLEN', old_forgotten)
local was_reset, is_forgotten = redis.call('GET', epoch), redis.call('LLEN', forgotten)
redis.call('GET', old_epoch)
redis.call('LLEN', history)
redis.call('HLEN', state)
redis.call('HLEN', usage)
redis.call('HSET', KEYS[2], ARGV[3], ARGV[4])

-- Puts older entries before the others of a list, whole exchanges from the newest back, within the bounds.
local function prepend(list, older)
  local length, bytes = redis.call('LLEN', list), 0
  for _, entry in ipairs(redis.call('LRANGE', list, 0, -1)) do bytes = bytes + #entry end
  for last = #older, 2, -2 do
    length, bytes = length + 2, bytes + #older[last] + #older[last - 1]
    if length > most_messages or bytes > most_bytes then return end
    redis.call('LPUSH', list, older[last], older[last - 1])
  end
end

-- A reset in the supergroup was meant for what had been said in the group, too.
if not was_reset then
  prepend(history, said)
  if told then redis.call('HSET', state, 'told', told) end
  if was_forgotten > 0 then redis.call('RENAME', old_forgotten, forgotten) end
elseif is_forgotten > 0 then
  prepend(forgotten, said)
end
for i = 1, #spent, 2 do redis.pcall('HINCRBY', usage, spent[i], spent[i + 1]) end
-- All else that the state knows are numbers of messages, which are others in the supergroup.
redis.call('DEL', old_history, old_epoch, old_state, old_forgotten, old_usage)

-- Gives how many entries of a mailbox are in work, or may be.
local function heads(entries, with) return math.min(#entries, 1 + ((with or ''):match('^%d+$') or 0)) end

-- Puts what waited in the group among what waits in the supergroup, by the times of their coming.
local function forward(first)
  local place = heads(waiting, joined) + 1
  local function came(entry) return tonumber(entry:match('^%d+')) or 0 end
  redis.call('RPOP', old_mailbox, #leaving - first + 1)
  if place <= #waiting then redis.call('RPOP', mailbox, #waiting - place + 1) end
  for i = first, #leaving do
    while place <= #waiting and came(waiting[place]) < came(leaving[i]) do
      redis.call('RPUSH', mailbox, waiting[place])
      place = place + 1
    end
    redis.call('RPUSH', mailbox, leaving[i])
    if leaving[i]:find('^%d+%*') then redis.call('PUBLISH', ARGV[6], ARGV[4]) end
  end
  for i = place, #waiting do redis.call('RPUSH', mailbox, waiting[i]) end
  if #waiting == 0 then redis.call('XADD', KEYS[1], '*', 'lane', ARGV[4]) end
end

local first = act == 'leave' and heads(leaving, old_joined) + 1 or 1
if first <= #leaving then forward(first) end
if act == 'forward' then
  redis.call('DEL', old_outbox)
  redis.call('XACK', KEYS[1], 'workers', ARGV[1])
  redis.call('XDEL', KEYS[1], ARGV[1])
end
return 1
