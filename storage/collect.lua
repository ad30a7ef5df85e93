#!lua flags=allow-oom
-- KEYS: ready, resetting. ARGV: entry, consumer, conversations...
-- Adds these to what is to be reset; without any, begins with nothing. Returns 0 if the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return 0 end
if ARGV[3] then
  redis.call('SADD', KEYS[2], unpack(ARGV, 3))
else
  redis.call('DEL', KEYS[2])
end
return 1
