#!lua flags=allow-oom
-- KEYS: ready, outbox; then, if the first words were sent and have no place yet, pace of their chat, pace of
-- all. ARGV: entry, consumer, fields with their values...
-- Notes what became of the head. Returns how many failures there were if this is one, itself included, else
-- 0; nothing if the lane is not ours.
--include budget
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
redis.call('HSET', KEYS[2], unpack(ARGV, 3))
if KEYS[3] then take(KEYS[3], KEYS[4], 'end', false, math.huge) end
if ARGV[3] == 'failure' then return redis.call('HINCRBY', KEYS[2], 'failures', 1) end
return 0
