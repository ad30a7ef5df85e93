#!lua flags=allow-oom
-- KEYS: ready, request, requests, refused. ARGV: entry, consumer, number of the update, name of the stranger,
-- 1 if the owners may be asked about them; seconds between two requests of one person, the same if nobody could be
-- asked, seconds for which a request is known, most requests an hour; seconds between two refusals (0: each
-- message gets one); what they are told once they are let in.
-- Returns 1 if the owners are to be asked, 1 if the stranger is to hear of it, and the request, flat; nothing
-- if the lane is not ours. Repeated for the same update, it returns the same.
local own = redis.call('XPENDING', KEYS[1], 'workers', ARGV[1], ARGV[1], 1)[1]
if not own or own[2] ~= ARGV[2] then return nil end
local now, asks, speaks = tonumber(redis.call('TIME')[1]), 0, 1
local was, many = redis.call('HMGET', KEYS[2], 'update', 'asked'), tonumber(redis.call('GET', KEYS[3])) or 0
local reached = table.concat(redis.call('HKEYS', KEYS[2])):find('told:')
local refused = redis.call('GET', KEYS[4])
if ARGV[5] == '1' then
  local ago = now - (tonumber(was[2]) or 0)
  if was[1] == ARGV[3] then
    asks = 1
  elseif (ago >= tonumber(reached and ARGV[6] or ARGV[7]) or ago < 0) and many < tonumber(ARGV[9]) then
    asks = 1
    redis.call('DEL', KEYS[2])
    redis.call('HSET', KEYS[2], 'update', ARGV[3], 'asked', now, 'name', ARGV[4],
      'welcome', ARGV[11])
    redis.call('EXPIRE', KEYS[2], ARGV[8])
    if many == 0 then
      redis.call('SET', KEYS[3], 1, 'EX', 3600)
    else
      redis.call('INCR', KEYS[3])
    end
  end
end
if ARGV[10] ~= '0' then
  if refused and refused ~= ARGV[3] then speaks = 0 end
  if not refused then redis.call('SET', KEYS[4], ARGV[3], 'EX', ARGV[10]) end
end
return {asks, speaks, redis.call('HGETALL', KEYS[2])}
