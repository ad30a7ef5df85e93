#!lua flags=allow-oom
-- KEYS: ready, access, request, mailbox of whom it is about. ARGV: entry, consumer, whose id, 'allow' or 'deny', the owner who decides: id
-- and name; the name of whom it is about ('' if unknown), 1 if only the first decision on a request counts,
-- channel of interrupts.
-- Decides on somebody, also on their request if there is one: whoever is let in by this is told so. Returns that
-- request, flat, as it stands then; nothing if the lane is not ours.
--include access
--include notify
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local request = redis.call('HMGET', KEYS[3], 'asked', 'verdict', 'name', 'welcome')
if ARGV[8] == '1' and (not request[1] or request[2]) then return redis.call('HGETALL', KEYS[3]) end
redis.call('LLEN', KEYS[4])  -- fails before anything is written
list(KEYS[2], ARGV[3], ARGV[4], ARGV[5], ARGV[7] ~= '' and ARGV[7] or request[3] or '')
if request[1] then
  redis.call('HSET', KEYS[3], 'verdict', ARGV[4], 'owner', ARGV[5], 'decider', ARGV[6])
  if ARGV[4] == 'allow' and request[2] ~= 'allow' and (request[4] or '') ~= '' then
    notify(KEYS[1], KEYS[4], ARGV[3], request[4])
  end
end
-- Whatever is in work for them, in whatever process, is judged anew; no lane has this name.
if ARGV[4] == 'deny' then redis.call('PUBLISH', ARGV[9], 'access') end
return redis.call('HGETALL', KEYS[3])
