#!lua flags=allow-oom
-- KEYS: lease, announcement, announcing. ARGV: name of the process, number of the message that shows how far it
-- is, '' when it is over.
-- Notes that. Returns nothing if the lease is not ours.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[2], KEYS[3])
elseif redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('HSET', KEYS[2], 'message', ARGV[2])
end
return 1
