#!lua
-- KEYS: dead. ARGV: letter, most dead letters.
-- Adds a letter, unless it is already there: then this is a retry.
if redis.call('LPOS', KEYS[1], ARGV[1], 'RANK', -1, 'MAXLEN', 100) then return end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
