-- Returns the number of the newest message we know of, at least ``number``: an edit must not bring back what was
-- forgotten.
local function newest(state, number)
  local known = redis.pcall('HMGET', state, 'floor', 'asked', 'answer')
  for i = 1, #known do
    for other in (known[i] or ''):gmatch('%d+') do number = math.max(number, other) end
  end
  return number
end

-- Forgets a conversation; ``number`` as above. Also removes keys of the wrong type, or that hold a word where a
-- number belongs.
local function forget(for_good, number, history, epoch, state, forgotten, heard)
  if type(redis.pcall('INCR', epoch)) ~= 'number' then redis.call('SET', epoch, redis.call('TIME')[1]) end
  local floor = newest(state, number)
  redis.call('DEL', state, heard)
  redis.call('HSET', state, 'floor', floor)
  if for_good then
    redis.call('DEL', history, forgotten)
  elseif redis.call('EXISTS', history) == 1 then
    redis.call('RENAME', history, forgotten)
    redis.call('EXPIRE', forgotten, 1800)
  end
end
