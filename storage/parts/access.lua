-- Lets in or shuts out, in a new version: the time, because a counter would start again with a new list.
local function list(access, id, verdict, by, name)
  local time = redis.call('TIME')
  redis.call('HSET', access, id, verdict .. ' ' .. by .. ' ' .. time[1] .. ' ' .. name,
    'version', time[1] .. '.' .. time[2])
end
