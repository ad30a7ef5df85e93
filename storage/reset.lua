#!lua flags=allow-oom
-- KEYS: ready, resetting, nothing; then history, epoch, state, forgotten, heard of each conversation. ARGV: entry,
-- consumer, 1 to forget for good, conversations...
-- Forgets those that are still to be reset, each once. Returns 0 if the lane is not ours.
--include forget
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return 0 end
for i = 4, #ARGV do
  if redis.call('SREM', KEYS[2], ARGV[i]) == 1 then forget(ARGV[3] == '1', 0, unpack(KEYS, 5 * i - 16, 5 * i - 12)) end
end
return 1
