#!lua flags=allow-oom
-- KEYS: lease, the mark that somebody waits for it. ARGV: name, milliseconds of the lease.
-- Takes or renews the lease, even while memory is full: without a leader, not even what makes room comes
-- in. If somebody else has it, returns 0 and leaves the mark.
if redis.call('PTTL', KEYS[1]) == -1 then redis.call('DEL', KEYS[1]) end  -- a lease always has an end
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then
  -- The clock went back, so the lease would end too late, and its holder may be dead.
  if redis.call('PTTL', KEYS[1]) > tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
  redis.call('SET', KEYS[2], 1, 'PX', math.floor(ARGV[2] / 2))
  return 0
end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
