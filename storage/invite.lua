#!lua flags=allow-oom
-- KEYS: ready, outbox, invitations. ARGV: entry, consumer, code, how many people it is for, for how many
-- seconds, the owner who invites, most invitations.
-- Makes an invitation, and forgets those that have ended. Returns its code and when it ends, in seconds since
-- 1970; '' if there are too many; nothing if the lane is not ours. Repeated, it returns the one made before.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local made, time = redis.call('HGET', KEYS[2], 'invitation'), redis.call('TIME')
local all, open = redis.call('HGETALL', KEYS[3]), 0
if made then return made end
for i = 1, #all, 2 do
  local ends = tonumber(all[i + 1]:match('^%d+ (%d+) '))
  if ends and ends > tonumber(time[1]) then
    open = open + 1
  else
    redis.call('HDEL', KEYS[3], all[i])
  end
end
if open >= tonumber(ARGV[7]) then return '' end
local ends = string.format('%.0f', time[1] + ARGV[5])
local number = string.format('%s%06d', time[1], time[2])
redis.call('HSET', KEYS[3], ARGV[3], ARGV[4] .. ' ' .. ends .. ' ' .. ARGV[6] .. ' ' .. number)
redis.call('HSET', KEYS[2], 'invitation', ARGV[3] .. ' ' .. ends)
return ARGV[3] .. ' ' .. ends
