#!lua flags=allow-oom
-- KEYS: any. ARGV: value. Sets the key unless it is set, also while memory is full; returns its value.
redis.call('SET', KEYS[1], ARGV[1], 'NX')
return redis.call('GET', KEYS[1])
