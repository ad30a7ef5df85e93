#!lua flags=allow-oom
-- KEYS: ready. The server's clock went back: what was claimed "in the future" would never grow
-- stale. Every claim begins anew, with whoever has it.
for _, claim in ipairs(redis.call('XPENDING', KEYS[1], 'workers', '-', '+', 100000)) do
  redis.call('XCLAIM', KEYS[1], 'workers', claim[2], 0, claim[1], 'JUSTID')
end
