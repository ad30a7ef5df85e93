#!lua flags=allow-oom
-- KEYS: ready, outbox, usage, history, epoch, state, forgotten, heard, nothing, pace of the chat, pace of all;
-- then history, epoch, state, forgotten, heard of each other conversation that is forgotten too; or the
-- settings that change, the mailbox of their chat, then what was heard where nothing is heard any more; or
-- unheard, then heard of each conversation of the chat. ARGV: entry, consumer, reply, milliseconds of a freeze
-- that are worth waiting for ('' if the reply needs no place), 1 for a group, what to do with the history:
-- 'keep' or 'replace' (then epoch, most messages, most bytes, prompt tokens, completion tokens, number of the
-- question, 1 if the person is told what is left out, how often the question was answered before, the kind of
-- call and its model, messages...); 'leave' (then how often it was answered before); 'forget', 'forget for
-- good', 'undo' or 'restore' (then the number of the newest message); 'choose' (then the settings' version, the
-- lane of their chat, what is said there of it, '' for nothing, and pairs: a setting, and "=" with its value or
-- '' for none); 'shun' or 'hear' (then whose words); or ''.
-- Returns 1 when the reply is kept (now or before), 2 when it is and the usage could not be counted, 3 when the
-- settings are of another version, so that nothing is kept, 0 when the lane is not ours; then, if a place was
-- wanted and the reply was not kept before, what take() does.
--include budget
--include forget
--include notify
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return {0} end
if redis.call('HEXISTS', KEYS[2], 'reply') == 1 then return {1} end
local usage, history, epoch, state, forgotten, heard = unpack(KEYS, 3, 8)
local act = ARGV[6]
local forgets = act == 'forget' or act == 'forget for good'
-- A kept reply will be sent, so anything that can fail because of a key's type comes before that.
local version
if act == 'choose' then
  version = redis.call('HGET', KEYS[12], 'version') or ''
  version = #version < 10 and version:match('^%d+$') or 0
  if tonumber(ARGV[7]) ~= tonumber(version) then return {3} end
  redis.call('LLEN', KEYS[13])
elseif act == 'shun' or act == 'hear' then
  redis.call('HLEN', KEYS[12])
elseif act ~= '' and not forgets then
  redis.call('LLEN', history)
  redis.call('GET', epoch)
  redis.call('HLEN', state)
  if act == 'restore' then redis.call('LLEN', forgotten) end
end
redis.call('HSET', KEYS[2], 'reply', ARGV[3])
local kept = 1

-- Counts the bytes of all messages, from the newest back; cuts off what is beyond the bound.
local function counted(most)
  local bytes = 0
  for last = redis.call('LLEN', history), 1, -2 do
    local first = math.max(0, last - 2)
    for _, entry in ipairs(redis.call('LRANGE', history, first, last - 1)) do bytes = bytes + #entry end
    if bytes > most then
      redis.call('LTRIM', history, first, -1)
      return bytes
    end
  end
  return bytes
end

-- Adds an exchange and drops the oldest ones beyond the bounds; the newest always stays. The bytes are
-- known from last time, unless the length noted with them is missing or has changed.
local function add(most_messages, most_bytes, ...)
  local noted = redis.call('HMGET', state, 'length', 'bytes')
  local length, bytes, added = redis.call('LLEN', history), tonumber(noted[2]) or 0, {...}
  local known = noted[2] and tonumber(noted[1]) == length
  local function dropped(entries)
    for _, entry in ipairs(entries or {}) do
      length, bytes = length - 1, bytes - #entry
    end
  end
  if act == 'replace' then dropped(redis.call('RPOP', history, 2)) end
  if not known then bytes = counted(most_bytes) end
  for _, entry in ipairs(added) do bytes = bytes + #entry end
  length = redis.call('RPUSH', history, ...)
  while length > #added and (length > most_messages or bytes > most_bytes) do
    dropped(redis.call('LPOP', history, math.min(2, length - #added)))
  end
  redis.call('HSET', state, 'length', length, 'bytes', bytes)
end

-- Removes what somebody said from what was heard, whatever that key is.
local function silence(heard, person)
  local said = redis.pcall('ZRANGE', heard, 0, -1)
  for _, member in ipairs(said) do
    local read, one = pcall(cjson.decode, member:match('{.*') or '')
    if read and one.from == tonumber(person) then redis.call('ZREM', heard, member) end
  end
end

if act == 'keep' or act == 'replace' then
  for field, number in pairs({answers = 1, prompt_tokens = ARGV[10], completion_tokens = ARGV[11]}) do
    for _, name in ipairs({field, ARGV[15] .. ':' .. field}) do
      if type(redis.pcall('HINCRBY', usage, name, number)) ~= 'number' then kept = 2 end
    end
  end
  -- An answer to what was asked before a reset stays out of the history after it.
  if (redis.call('GET', epoch) or '0') == ARGV[7] then
    add(tonumber(ARGV[8]), tonumber(ARGV[9]), unpack(ARGV, 16))
    redis.call('HSET', state, 'asked', ARGV[12], 'revision', ARGV[14])
    redis.call('HDEL', state, 'answer')
    if ARGV[13] == '1' then redis.call('HSET', state, 'told', 1) end
  else
    redis.call('HSET', state, 'floor', newest(state, ARGV[12]))
  end
elseif forgets then
  forget(act == 'forget for good', ARGV[7], history, epoch, state, forgotten, heard)
  for i = 12, #KEYS, 5 do forget(act == 'forget for good', ARGV[7], unpack(KEYS, i, i + 4)) end
elseif act == 'leave' then
  if redis.call('HEXISTS', state, 'asked') == 1 then redis.call('HSET', state, 'revision', ARGV[7]) end
elseif act == 'undo' then
  redis.call('LTRIM', history, 0, -3)
  redis.call('HSET', state, 'floor', newest(state, ARGV[7]))
  redis.call('HDEL', state, 'asked', 'answer', 'revision', 'length')
elseif act == 'restore' then
  redis.call('HSET', state, 'floor', newest(state, ARGV[7]))
  if redis.call('EXISTS', history) < redis.call('EXISTS', forgotten) then
    redis.call('RENAME', forgotten, history)
    redis.call('PERSIST', history)
    redis.call('HDEL', state, 'length')
  end
elseif act == 'choose' then
  redis.call('HSET', KEYS[12], 'version', version + 1)
  for i = 10, #ARGV, 2 do
    if ARGV[i + 1] == '' then
      redis.call('HDEL', KEYS[12], ARGV[i])
    else
      redis.call('HSET', KEYS[12], ARGV[i], ARGV[i + 1]:sub(2))
    end
  end
  for i = 14, #KEYS do redis.call('DEL', KEYS[i]) end
  if ARGV[9] ~= '' then notify(KEYS[1], KEYS[13], ARGV[8], ARGV[9]) end
elseif act == 'shun' then
  redis.call('HSET', KEYS[12], ARGV[7], 1)
  for i = 13, #KEYS do silence(KEYS[i], ARGV[7]) end
elseif act == 'hear' then
  redis.call('HDEL', KEYS[12], ARGV[7])
end
if ARGV[4] == '' then return {kept} end
return {kept, take(KEYS[10], KEYS[11], 'end', ARGV[5] == '1', tonumber(ARGV[4]))}
