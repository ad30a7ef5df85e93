#!lua flags=allow-oom
-- KEYS: keys. ARGV: the type each must have.
-- Renames those of another type, so that nothing is lost; returns their old names.
local aside = {}
for i, key in ipairs(KEYS) do
  local kind = redis.call('TYPE', key).ok
  if kind ~= 'none' and kind ~= ARGV[i] then
    redis.call('RENAME', key, (key:gsub('^{.-}:', '%0aside:' .. redis.call('TIME')[1] .. ':')))
    aside[#aside + 1] = key
  end
end
return aside
