-- Budgets towards Telegram; the rules are in storage/budget.py. Part of the scripts that take places.
-- A budget is stored as the time up to which it is spent: with a burst of n, up to n intervals ahead.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

-- A noted time, as milliseconds from now. If the clock went back it is noted again, or the pace would stand
-- still until the clock catches up.
local function noted(key)
  if redis.call('TYPE', key).ok ~= 'hash' then redis.call('DEL', key) end
  local found = redis.call('HMGET', key, 'at', 'spent', 'group', 'frozen', 'wide', 'ends')
  local since = math.max(now, tonumber(found[1]) or now)
  local left = {}
  for i = 2, 6 do left[i - 1] = math.max(0, (tonumber(found[i]) or now) - since) end
  if since > now then
    redis.call('HSET', key, 'at', now, 'spent', now + left[1], 'group', now + left[2],
      'frozen', now + left[3], 'wide', now + left[4], 'ends', now + left[5])
  end
  return unpack(left)
end

-- Takes a place for an act ('shed', 'wait' or 'end') in the budget of a chat, that of its group if it is one,
-- and that of all; returns the milliseconds until it comes. Or takes none and returns -1 if a call that can be
-- shed would have to wait; or, if the chat is frozen for longer than is worth waiting, a number below that,
-- which says for how many milliseconds.
local function take(chat, all, act, group, worth)
  local of_chat, of_group, frozen, wide = noted(chat)
  local of_all, _, _, _, of_ends = noted(all)
  local interval = wide > 0 and 2200 or 1100
  local wait = frozen
  if act ~= 'end' then
    wait = math.max(wait, of_chat - interval, of_all - 9 * 50)
    if group then wait = math.max(wait, of_group - (act == 'shed' and 2 or 4) * 4000) end
  end
  if act == 'shed' and wait > 0 then return -1 end
  if frozen > worth then return -math.ceil(frozen) end

  -- Ends of answers that come faster than the pace leave a debt, but a bounded one.
  local function spend(spent, interval)
    if act == 'end' and spent > 20 * interval then return spent end
    return math.max(spent, frozen) + interval
  end
  of_chat = spend(of_chat, interval)
  if group then of_group = spend(of_group, 4000) end
  -- They count among all calls, or there would be too many: those that wait already hold future places.
  if act ~= 'end' then
    of_all = of_all + 50
  elseif of_ends < 20 * 50 then
    of_all, of_ends = of_all + 50, of_ends + 50
  end
  redis.call('HSET', chat, 'at', now, 'spent', now + of_chat, 'group', now + of_group)
  redis.call('PEXPIRE', chat, 1000 + math.max(of_chat, of_group, frozen, wide))
  redis.call('HSET', all, 'at', now, 'spent', now + of_all, 'ends', now + of_ends)
  redis.call('PEXPIRE', all, 1000 + of_all)
  return math.ceil(wait)
end
