#!lua flags=allow-oom
-- KEYS: ready. ARGV: consumer, entries that it works on...
-- Claims whatever else is pending under the consumer's name, and counts the claims; returns entries and
-- their lanes. In one step: a bare XCLAIM would steal back what somebody else has claimed meanwhile.
local known, mine = {}, {}
for i = 2, #ARGV do known[ARGV[i]] = true end
for _, claim in ipairs(redis.call('XPENDING', KEYS[1], 'workers', '-', '+', 10000, ARGV[1])) do
  if not known[claim[1]] then
    for _, entry in ipairs(redis.call('XCLAIM', KEYS[1], 'workers', ARGV[1], 0, claim[1])) do
      mine[#mine + 1] = entry[1]
      -- Whatever another program put there is no lane, nor even text.
      local lane = entry[2][1] == 'lane' and entry[2][2] or ''
      mine[#mine + 1] = lane:match('^%-?%d+$') or lane:match('^%-?%d+:%d+$') or ''
    end
  end
end
return mine
