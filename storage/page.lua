#!lua flags=no-writes
-- KEYS: used, chats. ARGV: first and last place, prefix of histories, prefix of states.
-- Returns how many chats there are; then of those in these places, the last used first: chat, when it was last
-- used, what is known of it ('' if nothing), how many messages its history has, and their bytes (0: unknown).
-- Histories and states are undeclared, as they depend on the chats; all are in the bot's own slot.
local found = {redis.call('ZCARD', KEYS[1])}
local used = redis.call('ZRANGE', KEYS[1], ARGV[1], ARGV[2], 'REV', 'WITHSCORES')
for i = 1, #used, 2 do
  local chat = used[i]
  local length = redis.pcall('LLEN', ARGV[3] .. chat)
  local noted = redis.pcall('HMGET', ARGV[4] .. chat, 'length', 'bytes')
  local known = tonumber(noted[1] or '') == length
  found[#found + 1] = chat
  found[#found + 1] = used[i + 1]
  found[#found + 1] = redis.call('HGET', KEYS[2], chat) or ''
  found[#found + 1] = type(length) == 'number' and length or 0
  found[#found + 1] = known and tonumber(noted[2] or '') or 0
end
return found
