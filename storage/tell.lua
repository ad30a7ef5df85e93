#!lua flags=allow-oom
-- KEYS: lease, announcement, announcing, chats, declined, successors, access. ARGV: name of the process, a word
-- for this step, the supergroup that the chat which is being told has become ('' if it has not), most chats to look at.
-- Notes the next chat as being told. Returns 'tell', the chat, what is known of it; or 'more' if none of those
-- looked at is to be told; or 'done' if there are no more, or it was cancelled; nothing if the lease is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end
-- Anything that can fail because of a key's type comes before the first write.
for _, i in ipairs({4, 6, 7}) do redis.call('HLEN', KEYS[i]) end
for _, i in ipairs({3, 5}) do redis.call('ZCARD', KEYS[i]) end
local noted = redis.call('HMGET', KEYS[2], 'kinds', 'cancelled', 'chat', 'step')
local kinds, cancelled, last, step = noted[1], noted[2], noted[3], noted[4]
if last and step == ARGV[2] then return {'tell', last, redis.call('HGET', KEYS[4], last) or ''} end
if not kinds then return {'done'} end
-- Whoever told this one died, or lost the lease: it may have got it.
if last and ARGV[3] == '' then redis.call('HINCRBY', KEYS[2], 'unsure', 1) end
redis.call('HDEL', KEYS[2], 'chat')
if cancelled then return {'done'} end

-- Tells whether a chat is still to come, and notes that it is dealt with.
local function comes(chat)
  local score = tonumber(redis.call('ZSCORE', KEYS[3], chat) or 1)
  redis.call('ZADD', KEYS[3], -1, chat)
  return score > 0
end

local function skip()
  redis.call('HINCRBY', KEYS[2], 'skipped', 1)
end

-- Tells whether a chat is to be told, and notes that; whoever is skipped is counted. `kind` is for a chat of
-- which nothing is known.
local function begin(chat, kind)
  local read, known = pcall(cjson.decode, redis.call('HGET', KEYS[4], chat) or '')
  if not read or type(known) ~= 'table' then known = {kind = kind} end
  if not kinds:find(' ' .. tostring(known.kind) .. ' ', 1, true) then return false end
  local shut_out = (redis.call('HGET', KEYS[7], chat) or ''):find('^deny ')
  local away = known.away or ''
  if away ~= '' and away ~= 'muted' or shut_out or redis.call('ZSCORE', KEYS[5], chat) then
    skip()
    return false
  end
  redis.call('HSET', KEYS[2], 'chat', chat, 'step', ARGV[2])
  return true
end

local function told(chat)
  return {'tell', chat, redis.call('HGET', KEYS[4], chat) or ''}
end

if ARGV[3] ~= '' then
  if not comes(ARGV[3]) then
    skip()
  elseif begin(ARGV[3], 'supergroup') then
    return told(ARGV[3])
  end
end
for _ = 1, ARGV[4] do
  local chat = redis.call('ZRANGE', KEYS[3], '+inf', '(0', 'BYSCORE', 'REV', 'LIMIT', 0, 1)[1]
  if not chat then return {'done'} end
  comes(chat)
  local successor = redis.call('HGET', KEYS[6], chat)
  if successor then
    chat = comes(successor) and successor
    if not chat then skip() end
  end
  if chat and begin(chat) then return told(chat) end
end
return {'more'}
