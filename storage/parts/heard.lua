-- Returns what was said around the bot within a day, oldest first, each with its number: as many messages as the
-- settings, flat, say that it hears; '' where it hears none.
local function heard(around, chosen, now)
  local most = 0
  for i = 1, #chosen, 2 do
    if chosen[i] == 'hears' then most = math.min(tonumber(chosen[i + 1]:match('^%d+$') or 0), 50) end
  end
  if most < 1 then return '' end
  local said, recent = redis.pcall('ZRANGE', around, -most, -1, 'WITHSCORES'), {}
  for i = 1, #said, 2 do
    if now - (said[i]:match('^%d+') or 0) < 86400 then
      recent[#recent + 1] = said[i]
      recent[#recent + 1] = said[i + 1]
    end
  end
  return recent
end
