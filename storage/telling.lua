#!lua flags=no-writes
-- KEYS: lease, announcement. ARGV: name of the process, chat that is being told, '' for the owner's.
-- Returns 1 if that chat may be told now, the owner even if it was cancelled; else nothing.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return nil end
local noted = redis.call('HMGET', KEYS[2], 'number', 'cancelled', 'chat')
if ARGV[2] == '' then return noted[1] and 1 or nil end
return noted[3] == ARGV[2] and not noted[2] and 1 or nil
