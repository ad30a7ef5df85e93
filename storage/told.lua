#!lua flags=allow-oom
-- KEYS: ready, settings. ARGV: entry, consumer, version of the settings, 1 if the lane's people have been told, 0 if
-- they cannot be.
-- Notes that they know that the bot hears them, as they were to be told since that version; or that it hears nothing.
-- Returns nothing if the lane is not ours.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
if redis.call('HGET', KEYS[2], 'untold') == ARGV[3] then
  redis.call('HDEL', KEYS[2], 'untold')
  if ARGV[4] == '0' then
    redis.call('HSET', KEYS[2], 'hears', 0)  -- without a choice of its own, a topic hears as its group
    redis.pcall('HINCRBY', KEYS[2], 'version', 1)
  end
end
return 1
