#!lua flags=allow-oom
-- KEYS: pace of a chat, pace of all. ARGV: what for ('shed', 'wait', 'first' or 'final'), 1 for a group.
-- Takes a place in every budget (see storage/budget.py) and returns the milliseconds after which it is
-- there; or takes none, and returns -1, when what is to be shed would have to wait.
-- A budget is the time up to which it is spent: with a burst of n it may lie n intervals ahead.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- What is noted of a pace, in milliseconds from now on; also after the clock went back.
local function noted(key)
  local found = redis.call('HMGET', key, 'at', 'spent', 'group', 'frozen', 'wide')
  local since = math.max(now, tonumber(found[1]) or now)
  local left = {}
  for i = 2, 5 do left[i - 1] = math.max(0, (tonumber(found[i]) or now) - since) end
  return unpack(left)
end

local act, group = ARGV[1], ARGV[2] == '1'
local shed = act == 'shed'
local of_chat, of_group, frozen, wide = noted(KEYS[1])
local of_all = noted(KEYS[2])
local kept = act == 'final' and 0 or 1
local interval = wide > 0 and 2200 or 1100
local wait = math.max(0, frozen, of_chat - (2 - kept) * interval)
if group then wait = math.max(wait, of_group - (shed and 2 or 4) * 4000) end
if act == 'shed' or act == 'wait' then wait = math.max(wait, of_all - 9 * 50) end
if shed and wait > 0 then return -1 end

of_chat = math.max(of_chat, frozen) + interval
if group then of_group = math.max(of_group, frozen) + 4000 end
redis.call('HSET', KEYS[1], 'at', now, 'spent', now + of_chat, 'group', now + of_group,
  'frozen', now + frozen, 'wide', now + wide)
redis.call('PEXPIRE', KEYS[1], 1000 + math.max(of_chat, of_group, frozen, wide))
redis.call('HSET', KEYS[2], 'at', now, 'spent', now + of_all + 50)
redis.call('PEXPIRE', KEYS[2], 1000 + of_all + 50)
return math.ceil(wait)
