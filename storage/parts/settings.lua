-- Returns what is chosen for a conversation, flat: the fields of its chat and, over them, its topic's; outside
-- topics both are one key. The version is the topic's own, and so is what its people have not been told yet, if it has
-- chosen what it hears. A key that is no hash is named as the field ''.
local function settings(chat, topic)
  local found, flat = {}, {}
  for _, key in ipairs(chat == topic and {topic} or {chat, topic}) do
    local chosen, own = redis.pcall('HGETALL', key), {}
    if chosen.err then found[''] = key end
    for i = 1, #chosen, 2 do own[chosen[i]] = chosen[i + 1] end
    found.version = nil
    if own.hears then found.untold = nil end
    for field, value in pairs(own) do found[field] = value end
  end
  for field, value in pairs(found) do
    flat[#flat + 1] = field
    flat[#flat + 1] = value
  end
  return flat
end
