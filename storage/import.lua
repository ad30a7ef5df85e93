#!lua
-- KEYS: progress, a key, mailbox and state of its lane, ready. ARGV: progress before, progress after, what the
-- key is, its lane, its type, when it expires (ms since 1970; -1: never), what it holds...
-- Writes a key, once: progress says how far the import has come. Returns 0 if progress is neither as it
-- was before nor as it is after.
-- Waiting updates are added to those that already wait there. The state of the work on a head counts only
-- if that head is the imported one. An older version's `interrupt` is left out.
local progress = redis.call('GET', KEYS[1]) or ''
if progress == ARGV[2] then return 1 end
if progress ~= ARGV[1] then return 0 end
local name, kind = ARGV[3], ARGV[5]
local waits = redis.call('EXISTS', KEYS[3]) == 1
if name == 'interrupt' or (waits and name == 'outbox') then
  redis.call('SET', KEYS[1], ARGV[2])
  return 1
end
if name ~= 'mailbox' and name ~= 'dead' and name ~= 'seen' then redis.call('DEL', KEYS[2]) end
local command = ({string = 'SET', list = 'RPUSH', hash = 'HSET', zset = 'ZADD'})[kind]
for first = 7, #ARGV, 1000 do
  local some = {unpack(ARGV, first, math.min(#ARGV, first + 999))}
  if kind == 'zset' then
    for i = 1, #some, 2 do some[i], some[i + 1] = some[i + 1], some[i] end
  end
  redis.call(command, KEYS[2], unpack(some))
end
if name == 'history' or name == 'state' then redis.call('HDEL', KEYS[4], 'length') end
if ARGV[6] ~= '-1' then redis.call('PEXPIREAT', KEYS[2], ARGV[6]) end
if name == 'mailbox' and not waits then redis.call('XADD', KEYS[5], '*', 'lane', ARGV[4]) end
redis.call('SET', KEYS[1], ARGV[2])
return 1
