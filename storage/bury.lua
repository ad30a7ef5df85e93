#!lua
-- KEYS: dead. ARGV: letter, most dead letters.
-- Adds a letter, unless it was the last to be added: then it is only said again.
if redis.call('LINDEX', KEYS[1], -1) == ARGV[1] then return end
redis.call('RPUSH', KEYS[1], ARGV[1])
redis.call('LTRIM', KEYS[1], -tonumber(ARGV[2]), -1)
