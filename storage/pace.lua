#!lua flags=allow-oom
-- KEYS: pace of a chat, pace of all. ARGV: what for ('shed', 'wait', 'first' or 'final'), 1 for a group.
-- Takes a place in every budget (see storage/budget.py) and returns 0; or takes none, and returns the
-- milliseconds after which there may be one, or -1 when what is to be shed finds none.
-- A budget is the time up to which it is spent: with a burst of n it may lie n intervals ahead.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local chat = redis.call('HMGET', KEYS[1], 'spent', 'group', 'frozen', 'wide')
local frozen = (tonumber(chat[3]) or 0) - now
local wide = (tonumber(chat[4]) or 0) > now
local act, wait = ARGV[1], math.max(0, frozen)

-- The budget after one more place of it; notes how long that has to wait.
local function spend(spent, interval, burst, kept)
  -- Further ahead than any burst it can only be because the clock went back.
  local from = math.min(math.max(tonumber(spent) or 0, now), now + 2 * burst * interval)
  wait = math.max(wait, from + interval - now - (burst - kept) * interval)
  return from + interval
end

local shed = act == 'shed'
local spent = spend(chat[1], wide and 2200 or 1100, 3, act == 'final' and 0 or 1)
local group = ARGV[2] == '1' and spend(chat[2], 4000, 5, shed and 2 or 0) or 0
local due = wait
local all = spend(redis.call('GET', KEYS[2]), 34, 5, 0)
if act == 'first' or act == 'final' then wait = due end
if wait > 0 then return shed and -1 or math.ceil(wait) end
redis.call('HSET', KEYS[1], 'spent', spent, 'group', group)
redis.call('PEXPIRE', KEYS[1], 1000 + math.max(spent, group, tonumber(chat[4]) or 0) - now)
redis.call('SET', KEYS[2], all, 'PX', 1000 + all - now)
return 0
