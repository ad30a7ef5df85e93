#!lua flags=allow-oom
-- KEYS: ready. ARGV: consumer, milliseconds of idleness to pretend, entries...
-- Renews the lanes that are still ours (0), or lets anyone claim them (the lease); returns the entries
-- that are no longer ours. A bare XCLAIM would steal those back.
local lost = {}
for i = 3, #ARGV do
  local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[i], ARGV[i], 1)[1]
  if own and own[2] == ARGV[1] then
    redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], 0, ARGV[i], 'IDLE', ARGV[2], 'JUSTID')
  else
    lost[#lost + 1] = ARGV[i]
  end
end
return lost
