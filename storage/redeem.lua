#!lua flags=allow-oom
-- KEYS: ready, access, invitations, guesses. ARGV: entry, consumer, whose id, their name, the code, most
-- codes that one may try in vain, within how many seconds.
-- Lets in whoever has the code of an open invitation, and counts that, once for each person. Returns 'welcome',
-- 'denied', 'wrong', or for how many seconds they may try no more; nothing if the lane is not ours.
--include access
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local entry, invitation = redis.call('HGET', KEYS[2], ARGV[3]), redis.call('HGET', KEYS[3], ARGV[5])
local tried = redis.call('SCARD', KEYS[4])
if entry then return entry:find('^deny') and 'denied' or 'welcome' end
-- No code that was wrong once is ever right, so trying it again counts, and helps, no more.
if redis.call('SISMEMBER', KEYS[4], ARGV[5]) == 1 then return 'wrong' end
if tried >= tonumber(ARGV[6]) then return tostring(math.max(1, redis.call('TTL', KEYS[4]))) end
local uses, ends, by, number = (invitation or ''):match('^(%d+) (%d+) (%d+) (%d+)$')
if not uses or tonumber(ends) <= tonumber(redis.call('TIME')[1]) then
  redis.call('SADD', KEYS[4], ARGV[5])
  if tried == 0 then redis.call('EXPIRE', KEYS[4], ARGV[7]) end
  return 'wrong'
end
if tonumber(uses) > 1 then
  redis.call('HSET', KEYS[3], ARGV[5], (uses - 1) .. ' ' .. ends .. ' ' .. by .. ' ' .. number)
else
  redis.call('HDEL', KEYS[3], ARGV[5])
end
list(KEYS[2], ARGV[3], 'allow', by, ARGV[4])
return 'welcome'
