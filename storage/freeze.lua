#!lua flags=allow-oom
-- KEYS: pace of a chat. ARGV: milliseconds, milliseconds of a wider pace after that.
local time = redis.call('TIME')
local frozen = time[1] * 1000 + math.floor(time[2] / 1000) + ARGV[1]
redis.call('HSET', KEYS[1], 'frozen', frozen, 'wide', frozen + ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[1] + ARGV[2])
